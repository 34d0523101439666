// SPDX-License-Identifier: Apache-2.0
#include "functions/registry/names.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::functions {
namespace {

TEST(FunctionNames, AreReadInEveryForm) {
  const std::string arn = "arn:aws:lambda:eu-central-1:123456789012:function:ship";
  const std::pair<std::string, std::string> forms[] = {
      {"ship", ""},
      {"ship:live", "live"},
      {"123456789012:function:ship", ""},
      {"eu-central-1:123456789012:function:ship:7", "7"},
      {arn, ""},
      {arn + ":$LATEST", "$LATEST"}};
  for (const auto& [text, qualifier] : forms) {
    const FunctionRef ref = parse_function_ref(text);
    EXPECT_EQ(ref.name, "ship") << text;
    EXPECT_EQ(ref.qualifier, qualifier) << text;
  }
}

TEST(FunctionNames, OthersAreRefused) {
  for (const std::string text :
       {"", ":", "a b", "a:b:c", "arn:aws:s3:::ship", "arn:aws:lambda:r:1:layer:ship",
        "x:function:", "a:", "function:ship:x:y", "arn:aws:lambda:r:1:function:ship:1:2"}) {
    EXPECT_THROW((void)parse_function_ref(text), base::Error) << text;
  }
  EXPECT_THROW((void)parse_function_ref(std::string(300, 'a')), base::Error);
}

TEST(FunctionNames, AQualifierBesideANameMustNotDiffer) {
  EXPECT_EQ(parse_function_ref("ship", "live").qualifier, "live");
  EXPECT_EQ(parse_function_ref("ship:live", "live").qualifier, "live");
  EXPECT_THROW((void)parse_function_ref("ship:live", "other"), base::Error);
  EXPECT_THROW((void)parse_function_ref("ship", "a b"), base::Error);
}

TEST(FunctionNames, AnAliasIsNoNumber) {
  check_alias_name("live-2");
  for (const char* name : {"", "12", "a.b", "$LATEST"}) {
    EXPECT_THROW(check_alias_name(name), base::Error) << name;
  }
  EXPECT_EQ(parse_version_number("12"), 12);
  EXPECT_FALSE(parse_version_number("0"));
  EXPECT_FALSE(parse_version_number("01"));
  EXPECT_FALSE(parse_version_number("99999999999999999999"));
}

}  // namespace
}  // namespace andon::functions
