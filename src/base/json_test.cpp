// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace andon::base {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text, const JsonLimits& limits = {}) {
  try {
    (void)parse_json(text, "the document", limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.message();
  }
  return "";
}

TEST(ParseJson, NamesLineAndColumnOfAnError) {
  EXPECT_THAT(error_of("{\n  \"a\": tru\n}"), HasSubstr("the document is not valid JSON"));
  EXPECT_THAT(error_of("{\n  \"a\": tru\n}"), HasSubstr("line 2"));
  EXPECT_THAT(error_of("{} x"), HasSubstr("column 4"));
}

TEST(ParseJson, RefusesWhatIsTooLargeOrTooDeep) {
  EXPECT_THAT(error_of("[1,2,3]", {.max_bytes = 3}), HasSubstr("too large"));
  EXPECT_THAT(error_of(std::string(40, '[')), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(""), HasSubstr("not valid JSON"));
}

TEST(ToText, PrintsNumbersAsPeopleWriteThem) {
  const auto value = parse_json(R"({"a":0.87,"b":1,"c":2.0,"d":[9007199254740993]})", "x");
  EXPECT_EQ(to_text(value), R"({"a":0.87,"b":1,"c":2.0,"d":[9007199254740993]})");
}

TEST(ToText, ReadsBackAsTheSameValue) {
  const auto value = parse_json(R"({"s":"a\"\\\u0001é","n":null,"e":{},"l":[],"x":1e300})", "x");
  EXPECT_EQ(parse_json(to_text(value), "x"), value);
  EXPECT_EQ(parse_json(to_pretty_text(value), "x"), value);
}

TEST(FindPointer, FollowsObjectsAndLists) {
  const auto value = parse_json(R"({"a/b":[{"~":1}],"":2})", "x");
  EXPECT_EQ(*find_pointer(value, "/a~1b/0/~0"), json::value(1));
  EXPECT_EQ(*find_pointer(value, "/"), json::value(2));
  EXPECT_EQ(find_pointer(value, ""), &value);
  EXPECT_EQ(find_pointer(value, "/a~1b/00"), nullptr);
  EXPECT_EQ(find_pointer(value, "/a~1b/1"), nullptr);
  EXPECT_THROW((void)find_pointer(value, "a"), Error);
  EXPECT_THROW((void)find_pointer(value, "/~2"), Error);
  EXPECT_EQ(join_pointer(split_pointer("/a~1b/0/~0")), "/a~1b/0/~0");
}

TEST(JsonReader, NamesThePlaceOfAWrongMember) {
  const auto value = parse_json(R"({"a":{"b":"text","n":null}})", "x");
  const JsonReader reader = JsonReader(value, "").child("a");
  EXPECT_EQ(reader.string("b"), "text");
  EXPECT_EQ(reader.optional_string("n"), std::nullopt);
  try {
    (void)reader.integer("b");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "a.b must be a whole number");
  }
  EXPECT_THROW((void)reader.string("absent"), Error);
}

}  // namespace
}  // namespace andon::base
