// SPDX-License-Identifier: Apache-2.0
#include "api/topicrules/republished.hpp"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"

namespace andon::api {
namespace {

class RepublishedTest : public testing::Test {
 protected:
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  Republished republished_{clock_};
};

TEST_F(RepublishedTest, KnowsThroughHowManyRulesAMessageHasCome) {
  EXPECT_EQ(republished_.hops_of("a", "x"), 0);
  republished_.add("a", "x", 3);
  EXPECT_EQ(republished_.hops_of("a", "x"), 3);
  EXPECT_EQ(republished_.hops_of("a", "y"), 0);
  EXPECT_EQ(republished_.hops_of("b", "x"), 0);
  republished_.add("a", "x", 1);
  EXPECT_EQ(republished_.hops_of("a", "x"), 3);
}

TEST_F(RepublishedTest, ForgetsAfterAMinute) {
  republished_.add("a", "x", 3);
  clock_.advance(Republished::kKept);
  EXPECT_EQ(republished_.hops_of("a", "x"), 3);
  republished_.add("b", "x", 1);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(republished_.hops_of("a", "x"), 0);
  republished_.add("c", "x", 1);
  republished_.add("a", "x", 1);
  EXPECT_EQ(republished_.hops_of("a", "x"), 1);
}

TEST_F(RepublishedTest, KeepsNoMoreThanItsBound) {
  for (std::size_t i = 0; i <= Republished::kMost; ++i) republished_.add(std::to_string(i), "x", 1);
  EXPECT_EQ(republished_.hops_of("0", "x"), 0);
  EXPECT_EQ(republished_.hops_of("1", "x"), 1);
}

}  // namespace
}  // namespace andon::api
