// SPDX-License-Identifier: Apache-2.0
#include "control/logs/log_pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

using testing::HasSubstr;

struct Case {
  const char* pattern;
  const char* message;
  bool matches;
};

TEST(LogPatternTest, TermsAreLookedForAsTheyAre) {
  const Case cases[] = {
      {"", "anything", true},
      {"  ", "anything", true},
      {"ERROR", "[ERROR 400] bad", true},
      {"ERROR", "[error 400] bad", false},
      {"ERROR bad", "[ERROR 400] bad", true},
      {"ERROR good", "[ERROR 400] bad", false},
      {"\"400] bad\"", "[ERROR 400] bad", true},
      {"\"a \\\" b\"", "x a \" b y", true},
      {"ERROR -400", "[ERROR 400] bad", false},
      {"ERROR -500", "[ERROR 400] bad", true},
      {"-\"400] b\"", "[ERROR 400] bad", false},
      {"?ERROR ?WARN", "WARN: hot", true},
      {"?ERROR ?WARN", "INFO: fine", false},
      {"?ERROR hot", "WARN: hot", true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(LogPattern(one.pattern).matches(one.message), one.matches)
        << one.pattern << " | " << one.message;
  }
}

TEST(LogPatternTest, MembersOfAJsonObjectAreCompared) {
  const char* const message =
      R"({"type": "TaskFailed", "details": {"n": 3, "list": [{"a.b": "x"}], "gone": null},
          "ok": true, "path": "/plant/line-1/camera"})";
  const struct {
    const char* pattern;
    bool matches;
  } cases[] = {
      {R"({ $.type = "TaskFailed" })", true},
      {"{$.type=TaskFailed}", true},
      {"{ $.type = Task* }", true},
      {"{ $.type = *Fail* }", true},
      {"{ $.type = *x }", false},
      {"{ $.type != Task* }", false},
      {"{ $.path = \"/plant/*/camera\" }", true},
      {"{ $.details.n = 3 }", true},
      {"{ $.details.n >= 3 && $.details.n < 4 }", true},
      {"{ $.details.n > 3 || $.type = TaskFailed }", true},
      {"{ ($.details.n > 3 || $.type = x) && $.ok IS TRUE }", false},
      {"{ $.details.list[0]['a.b'] = x }", true},
      {"{ $.details.list[1].c = x }", false},
      {"{ $.details.gone IS NULL }", true},
      {"{ $.details.other IS NULL }", false},
      {"{ $.details.other NOT EXISTS }", true},
      {"{ $.ok NOT EXISTS }", false},
      {"{ $.ok IS FALSE }", false},
      {"{ $.type = 3 }", false},
      {"{ $.details.n = \"3\" }", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(LogPattern(one.pattern).matches(message), one.matches) << one.pattern;
    EXPECT_FALSE(LogPattern(one.pattern).matches("no JSON")) << one.pattern;
  }
  EXPECT_FALSE(LogPattern("{ $.a NOT EXISTS }").matches("{cut"));
}

TEST(LogPatternTest, WhatIsWrongIsSaidWithItsPlace) {
  const struct {
    std::string pattern;
    const char* says;
  } cases[] = {
      {"{ $.a = }", "a term is missing (at character 9)"},
      {"{ $.a }", "a comparison is missing"},
      {"{ a = 1 }", "it begins with '$.'"},
      {"{ $ = 1 }", "names no member"},
      {"{ $.a = 1", "'}' is missing"},
      {"{ $.a = 1 } x", "more behind"},
      {"{ $.a < x }", "'<' takes a number"},
      {"{ $.a IS MINE }", "only IS NULL"},
      {"{ $.a[x] = 1 }", "an index must be a number"},
      {"{ $.a['x = 1 }", "']' is missing"},
      {"\"open", "closing"},
      {"\"\"", "a term is empty"},
      {"-", "a term is missing"},
      {"[a, b]", "columns"},
      {"%a.*%", "regular expressions"},
      {"{" + std::string(17, '(') + "$.a = 1" + std::string(17, ')') + "}", "too many parentheses"},
      {std::string(1025, 'x'), "has 1025 bytes"},
  };
  for (const auto& one : cases) {
    try {
      const LogPattern pattern(one.pattern);
      ADD_FAILURE() << one.pattern << " was taken";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr(one.says)) << one.pattern;
    }
  }
}

}  // namespace
}  // namespace andon::control
