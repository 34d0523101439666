// SPDX-License-Identifier: Apache-2.0
#include "recipe/reader/json_or_yaml.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::recipe {
namespace {

std::string read(std::string_view text) {
  return base::to_text(parse_json_or_yaml(text, "the document"));
}

std::string error_of(std::string_view text, const DocumentLimits& limits = {}) {
  try {
    return "no error, but " + base::to_text(parse_json_or_yaml(text, "the document", limits));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
}

struct Reading {
  std::string_view text;
  std::string_view json;
};

TEST(JsonOrYaml, TypesScalarsByTheCoreSchema) {
  const Reading cases[] = {
      {"a: 1", R"({"a":1})"},
      {"a: -12", R"({"a":-12})"},
      {"a: +12", R"({"a":12})"},
      {"a: 0x1F", R"({"a":31})"},
      {"a: 0o17", R"({"a":15})"},
      {"a: 017", R"({"a":17})"},
      {"a: 1.5", R"({"a":1.5})"},
      {"a: .5", R"({"a":0.5})"},
      {"a: 1e3", R"({"a":1000.0})"},
      {"a: 1.0.0", R"({"a":"1.0.0"})"},
      {"a: 2020-01-25", R"({"a":"2020-01-25"})"},
      {"a: true", R"({"a":true})"},
      {"a: False", R"({"a":false})"},
      {"a: yes", R"({"a":"yes"})"},
      {"a: no", R"({"a":"no"})"},
      {"a: on", R"({"a":"on"})"},
      {"a: null", R"({"a":null})"},
      {"a: ~", R"({"a":null})"},
      {"a:", R"({"a":null})"},
      {"a: \"1\"", R"({"a":"1"})"},
      {"a: 'true'", R"({"a":"true"})"},
      {"a: !!str 1", R"({"a":"1"})"},
      {"a: 9223372036854775807", R"({"a":9223372036854775807})"},
      {"a: -9223372036854775808", R"({"a":-9223372036854775808})"},
      {"a: 18446744073709551615", R"({"a":18446744073709551615})"},
      {"18446744073709551616: 1e-3", R"({"18446744073709551616":0.001})"},
      {"a: '18446744073709551616'", R"({"a":"18446744073709551616"})"},
      {"a: .inf", R"({"a":".inf"})"},
      {"1: one\ntrue: two", R"({"1":"one","true":"two"})"},
      {"a: [1, {b: c}]", R"({"a":[1,{"b":"c"}]})"},
      {"a: {}\nb: []", R"({"a":{},"b":[]})"},
      {"run: |\n  one\n  two\n", R"({"run":"one\ntwo\n"})"},
      {"run: >-\n  one\n  two\n", R"({"run":"one two"})"},
      {"---\na: 1\n", R"({"a":1})"},
      {"# comment\na: 1 # more", R"({"a":1})"},
      {"\xEF\xBB\xBF{\"a\":1}", R"({"a":1})"},
      {" \n{\"a\":{\"b\":1},\"c\":{\"b\":1}}", R"({"a":{"b":1},"c":{"b":1}})"},
      {R"({"a":"{\"a\",\\","b":["a","a"]})", R"({"a":"{\"a\",\\","b":["a","a"]})"},
  };
  for (const auto& [text, json] : cases) EXPECT_EQ(read(text), json) << text;
}

TEST(JsonOrYaml, RefusesDuplicateKeysInBothFormats) {
  EXPECT_NE(error_of("a: 1\nb: 2\na: 3").find("line 3"), std::string::npos);
  EXPECT_NE(error_of(R"({"x":{"a":1,"a":2}})").find("\"a\" is there twice"), std::string::npos);
  EXPECT_NE(error_of(R"({"a":1,"\u0061":2})").find("twice"), std::string::npos);
}

TEST(JsonOrYaml, RefusesNumbersThatItWouldHaveToChange) {
  for (const char* number : {"18446744073709551616", "-9223372036854775809", "1e400", "-1e400",
                             "0x10000000000000000", "0o7777777777777777777777"}) {
    EXPECT_NE(error_of(std::string("a: 1\nb: ") + number).find("line 2"), std::string::npos);
    EXPECT_NE(error_of(std::string("b: ") + number).find(number), std::string::npos);
  }
  EXPECT_NE(error_of(R"({"a":1e400})").find("1e400"), std::string::npos);
}

TEST(JsonOrYaml, RefusesAliasBombsBeforeExpandingThem) {
  const std::string bomb =
      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c]";
  EXPECT_NE(error_of(bomb).find("anchors (&name) are not accepted"), std::string::npos);
  EXPECT_NE(error_of("a: *b").find("line 1"), std::string::npos);
}

TEST(JsonOrYaml, RefusesWhatIsNotPlainData) {
  EXPECT_NE(error_of("a: !!binary aGk=").find("tags"), std::string::npos);
  EXPECT_NE(error_of("? [a, b]\n: c").find("key must be plain text"), std::string::npos);
  EXPECT_NE(error_of("a: 1\n---\nb: 2").find("second document"), std::string::npos);
  EXPECT_NE(error_of("<<: {a: 1}").find("merge keys"), std::string::npos);
  EXPECT_NE(error_of("a: \xFF").find("UTF-8"), std::string::npos);
  EXPECT_NE(error_of(std::string_view("a: \0", 4)).find("UTF-8"), std::string::npos);
  EXPECT_NE(error_of("").find("empty"), std::string::npos);
  EXPECT_NE(error_of("a: [1").find("line"), std::string::npos);
  EXPECT_NE(error_of("{\"a\":").find("the document"), std::string::npos);
}

TEST(JsonOrYaml, KeepsToItsLimits) {
  EXPECT_NE(error_of("a: 12345", {.max_bytes = 4}).find("more than the 4"), std::string::npos);
  EXPECT_NE(error_of(std::string(40, '[') + std::string(40, ']')).find("the document"),
            std::string::npos);
  EXPECT_NE(error_of("a: " + std::string(40, '[') + std::string(40, ']')).find("too deeply"),
            std::string::npos);
  EXPECT_NE(error_of("[1,2,3]", {.max_values = 3}).find("too many"), std::string::npos);
  EXPECT_NE(error_of("- 1\n- 2\n- 3", {.max_values = 2}).find("too many"), std::string::npos);
  // Far deeper than the limit, where a recursive parser would run out of stack.
  EXPECT_NE(error_of("a: " + std::string(60'000, '[')).find("the document"), std::string::npos);
}

}  // namespace
}  // namespace andon::recipe
