// SPDX-License-Identifier: Apache-2.0
#include "stacks/plan/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::stacks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(InOrder, EachComesAfterWhatItNeeds) {
  EXPECT_THAT(in_order({"a", "b", "c"}, {{"a", {"c"}}, {"c", {"b", "elsewhere"}}}),
              ElementsAre("b", "c", "a"));
}

TEST(InOrder, ACircleIsNamed) {
  try {
    (void)in_order({"a", "b", "c"}, {{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("b -> c -> b"));
  }
}

TEST(Differences, AreToldMemberByMember) {
  const auto before = base::parse_json(R"({"a": 1, "b": {"c": [1, 2], "d": 1}, "e": 1})", "t");
  const auto after = base::parse_json(R"({"e": 1, "b": {"d": 1, "c": [1, 3, 4]}, "f": 2})", "t");
  std::vector<std::string> places;
  for (const auto& one : differences(before.as_object(), after.as_object())) {
    places.push_back(one.place + (one.before ? " -" : "") + (one.after ? " +" : ""));
  }
  EXPECT_THAT(places, ElementsAre("a -", "b.c.1 - +", "b.c.2 +", "f +"));
  EXPECT_TRUE(differences(before.as_object(), before.as_object()).empty());
}

}  // namespace
}  // namespace andon::stacks
