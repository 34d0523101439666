// SPDX-License-Identifier: Apache-2.0
#include "base/json/json_members.hpp"

#include <gtest/gtest.h>

namespace andon::base {
namespace {

TEST(JsonMembers, WhatIsAbsentOrOfAnotherTypeIsNothing) {
  const json::object object{
      {"inner", {{"a", 1}}}, {"text", "t"}, {"list", json::array{"t"}}, {"null", nullptr}};
  ASSERT_NE(object_at(object, "inner"), nullptr);
  EXPECT_EQ(*object_at(object, "inner"), (json::object{{"a", 1}}));
  EXPECT_EQ(text_at(object, "text"), "t");
  for (const char* other : {"list", "null", "absent"}) {
    EXPECT_EQ(object_at(object, other), nullptr) << other;
    EXPECT_EQ(text_at(object, other), "") << other;
  }
  EXPECT_EQ(object_at(object, "text"), nullptr);
  EXPECT_EQ(text_at(object, "inner"), "");
}

}  // namespace
}  // namespace andon::base
