// SPDX-License-Identifier: Apache-2.0
#include "control/parameters/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/parameters/named_refusal.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;

// "" where it is taken.
template <typename Check>
std::string refusal(const Check& check) {
  try {
    check();
  } catch (const NamedRefusal& refusal) {
    return std::string(refusal.name());
  } catch (const base::Error& error) {
    return error.code() == ErrorCode::invalid_argument ? "invalid" : "another error";
  }
  return "";
}

TEST(ParameterRules, AReferenceIsANameOrAnArnAndWhatSelectsAVersion) {
  struct Case {
    std::string_view text;
    std::string key;
    std::optional<std::string> name;
    std::optional<std::int64_t> version;
    std::string label;
  };
  const Case cases[] = {
      {"a", "a", "a", {}, ""},
      {"/a/b", "a/b", "/a/b", {}, ""},
      {"/a/b:3", "a/b", "/a/b", 3, ""},
      {"/a/b:good", "a/b", "/a/b", {}, "good"},
      {"/a:3:4", "a", "/a", {}, "3:4"},
      {"/a:", "a", "/a", {}, ""},
      {"/a:99999999999999999999", "a", "/a", 0, ""},  // more than there can be
      {"arn:aws:ssm:r:1:parameter/a/b", "a/b", {}, {}, ""},
      {"arn:aws:ssm:r:1:parameter/a/b:7", "a/b", {}, 7, ""},
      {"arn:aws:ssm:r", "arn", "arn", {}, "aws:ssm:r"},
      {"", "", "", {}, ""},
  };
  for (const Case& one : cases) {
    const ParameterReference reference = parse_parameter_reference(one.text);
    EXPECT_EQ(reference.key, one.key) << one.text;
    EXPECT_EQ(reference.name, one.name) << one.text;
    EXPECT_EQ(reference.version, one.version) << one.text;
    EXPECT_EQ(reference.label, one.label) << one.text;
  }
  EXPECT_EQ(parse_parameter_reference("/a:").selector, ":");
}

TEST(ParameterRules, ANameHasFifteenLevelsOfAwssCharactersAndNoReservedWord) {
  const auto check = [](const std::string& name) {
    return refusal([&] { check_parameter_name(Arns(), name); });
  };
  std::string deepest;
  for (int i = 0; i < 15; ++i) deepest += "/x";
  for (const std::string& good : {std::string("a"), std::string("/a"), std::string("a.b_c-D9"),
                                  std::string("/a/aws"), std::string("/../x"), deepest}) {
    EXPECT_EQ(check(good), "") << good;
  }
  for (const char* bad : {"", "/", "//", "a/b", "/a/", "/a//b", "a b", "a:1", "aws", "AWSx",
                          "/Ssm/x", "\xC3\xA4", "a\n"}) {
    EXPECT_EQ(check(bad), "invalid") << bad;
  }
  EXPECT_EQ(check(deepest + "/x"), "HierarchyLevelLimitExceededException");
  const std::size_t before = parameter_arn(Arns(), "").size();
  EXPECT_EQ(check(std::string(1011 - before, 'x')), "");
  EXPECT_EQ(check(std::string(1012 - before, 'x')), "invalid");
}

TEST(ParameterRules, AWholeValueMatchesItsPatternAndNoneCanBeMadeToHang) {
  const auto check = [](std::string_view pattern, std::string_view value) {
    return refusal([&] { check_allowed_pattern(pattern, value); });
  };
  EXPECT_EQ(check(R"(\d+)", "17"), "");
  EXPECT_EQ(check(R"(^\d+$)", "17"), "");
  EXPECT_EQ(check(R"(\d+)", "17x"), "ParameterPatternMismatchException");
  EXPECT_EQ(check("(", "17"), "InvalidAllowedPatternException");
  EXPECT_EQ(check("(a*)*(a*)*b", std::string(4000, 'a')), "ParameterPatternMismatchException");
  EXPECT_EQ(check("(a|a)*\\1b", std::string(4000, 'a')), "InvalidAllowedPatternException");
}

TEST(ParameterRules, ALabelBeginsWithNoDigitAndNoReservedWord) {
  for (const char* good : {"a", "prod.1_x-y", "_"}) EXPECT_TRUE(is_parameter_label(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("1a"), std::string("awsx"), std::string("SSM"),
        std::string("a b"), std::string("a/b"), std::string(101, 'a')}) {
    EXPECT_FALSE(is_parameter_label(bad)) << bad;
  }
}

TEST(ParameterRules, ASecretIsNamedByItsNameItsArnOrItsArnWithoutTheLetters) {
  const auto plain = parse_secret_reference("db-AbCdEf");
  EXPECT_EQ(plain.name, "db-AbCdEf");
  EXPECT_EQ(plain.suffix, "");  // a name is taken as it is
  const auto whole = parse_secret_reference(secret_arn(Arns(), "plant/db", "AbCdEf"));
  EXPECT_EQ(whole.name, "plant/db-AbCdEf");
  EXPECT_EQ(whole.short_name, "plant/db");
  EXPECT_EQ(whole.suffix, "AbCdEf");
  const auto partial = parse_secret_reference("arn:aws:secretsmanager:r:1:secret:plant/db");
  EXPECT_EQ(partial.name, "plant/db");
  EXPECT_EQ(partial.suffix, "");
  EXPECT_EQ(parse_secret_reference("arn:aws:s3:::db").name, "arn:aws:s3:::db");
  EXPECT_EQ(refusal([] { check_secret_name("plant/db_+=.@-!9"); }), "");
  for (const char* bad : {"", "a b", "a:b", "a\n"}) {
    EXPECT_EQ(refusal([&] { check_secret_name(bad); }), "ValidationException") << bad;
  }
}

}  // namespace
}  // namespace andon::control
