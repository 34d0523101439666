// SPDX-License-Identifier: Apache-2.0
#include "base/json/problem_texts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::base {
namespace {

TEST(ProblemTexts, NameThePlaceWhereThereIsOne) {
  EXPECT_THAT(problem_texts({{"mqtt.version", "must be text"}, {"", "must be an object"}}),
              testing::ElementsAre("mqtt.version must be text", "must be an object"));
  EXPECT_TRUE(problem_texts({}).empty());
}

}  // namespace
}  // namespace andon::base
