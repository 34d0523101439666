// SPDX-License-Identifier: Apache-2.0
#include "base/json/json.hpp"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "base/error/error.hpp"

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

TEST(ParseJson, ReadsNumbersExactlyOrNotAtAll) {
  for (const char* exact : {"9223372036854775807", "-9223372036854775808", "18446744073709551615",
                            "0.1", "1e+30", "2.2250738585072014e-308", "1.7976931348623157e+308",
                            "0.30000000000000004", "7.038531e-26", "123456789012345680.0"}) {
    EXPECT_EQ(to_text(parse_json(exact, "x")), exact);
  }
  for (const char* lost : {"18446744073709551616", "-9223372036854775809",
                           "123456789012345678901234567890", "1e400", "-1e400", "1.5E+309"}) {
    EXPECT_THAT(error_of(std::string("{\n\"a\": ") + lost + "}"),
                testing::AllOf(HasSubstr(std::string("the number ") + lost), HasSubstr("line 2")));
    EXPECT_THAT(error_of(lost), HasSubstr(lost));
  }
  EXPECT_THAT(error_of(std::string(10'000, '9')), HasSubstr("999... has more digits"));
  EXPECT_EQ(parse_json("1e-400", "x").as_double(), 0);
}

TEST(ParseJson, KeepsTheLastOfEqualKeysAndEveryEscape) {
  EXPECT_EQ(to_text(parse_json(R"({"a":1,"a":[true,null,"\u00e4\n"]})", "x")),
            "{\"a\":[true,null,\"\u00e4\\n\"]}");
}

TEST(ToText, EscapesEveryByteAsBoostDoes) {
  for (int byte = 0; byte < 128; ++byte) {
    const std::string bytes = "a" + std::string(1, static_cast<char>(byte)) + "b";
    const json::string text(bytes);
    EXPECT_EQ(to_text(json::value(text)), json::serialize(text)) << byte;
    EXPECT_EQ(to_text(json::object{{text, 1}}), "{" + json::serialize(text) + ":1}") << byte;
  }
  EXPECT_EQ(
      to_text(parse_json(R"([-9223372036854775808,18446744073709551615,true,false,null,""])", "x")),
      R"([-9223372036854775808,18446744073709551615,true,false,null,""])");
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

TEST(ToText, IsUtf8WhateverTheTextsAre) {
  const json::value value{{"Sch\xE4"
                           "den",
                           "a long text of ASCII, and then \xFF."},
                          {"good", "Sch\u00E4den"}};
  const std::string expected =
      "{\"Sch\xEF\xBF\xBD"
      "den\":\"a long text of ASCII, and then \xEF\xBF\xBD.\","
      "\"good\":\"Sch\u00E4den\"}";
  EXPECT_EQ(to_text(value), expected);
  EXPECT_EQ(parse_json(to_pretty_text(value), "text"), parse_json(expected, "text"));
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

}  // namespace
}  // namespace andon::base
