// SPDX-License-Identifier: Apache-2.0
#include "stacks/language/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "stacks/language/parameter_values.hpp"

namespace andon::stacks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kTemplate = R"yaml(
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Line: {Type: String, Default: seven}
  Stages: {Type: CommaDelimitedList, Default: "qa, plant"}
  Size: {Type: Number, Default: 3}
Mappings:
  Sizes: {small: {memory: 128}, large: {memory: 512}}
Conditions:
  IsSeven: !Equals [!Ref Line, seven]
  IsLarge: !And [!Condition IsSeven, !Not [!Equals [!Ref Size, 3]]]
Resources:
  Bucket: {Type: "AWS::S3::Bucket"}
  Other:
    Type: AWS::S3::Bucket
    Properties:
      Ref: !Ref Bucket
      Att: !GetAtt Bucket.Arn
      Sub: !Sub "arn:${AWS::Partition}:${Line}/${Bucket.Arn}/${!kept}"
      SubOwn: !Sub ["${a}-${Size}", {a: !Ref Line}]
      Join: !Join ["/", [a, !Ref Line, !Select [1, !Ref Stages]]]
      Split: !Split ["-", "a-b-"]
      If: !If [IsLarge, big, little]
      Gone: !If [IsLarge, big, !Ref "AWS::NoValue"]
      Map: !FindInMap [Sizes, large, memory]
      Base64: !Base64 hello
      Import: !ImportValue shared
      Length: {"Fn::Length": !Ref Stages}
      Text: {"Fn::ToJsonString": {a: !Ref Size}}
      Stored: "{{resolve:ssm:/plant/name}}!"
)yaml";

Template template_of(std::string_view text) {
  return read_template(text, "t");
}

World world() {
  return {.reference = [](const std::string& id) { return json::value("ref-" + id); },
          .attribute = [](const std::string& id,
                          const std::string& name) { return json::value(id + "." + name); },
          .imported = [](const std::string& name) { return "imported " + name; },
          .stored = [](const std::string& name) { return "stored " + name; }};
}

Place place() {
  return {.account = "000000000000", .region = "us-east-1", .stack_name = "s", .stack_id = "id"};
}

json::value resolved(std::string_view property, std::string_view text = kTemplate) {
  const Template read = read_template(text, "t");
  const auto values = parameter_values(read, {}, place(), {});
  const Resolver resolver(read, values.values, world());
  const json::object all = resolver.resolve_object(read.find_resource("Other")->properties, "here");
  const auto* found = all.if_contains(property);
  return found == nullptr ? json::value("(absent)") : *found;
}

TEST(Resolver, EachFunctionComesToItsValue) {
  const struct {
    const char* property;
    json::value value;
  } rows[] = {{"Ref", "ref-Bucket"},
              {"Att", "Bucket.Arn"},
              {"Sub", "arn:aws:seven/Bucket.Arn/${kept}"},
              {"SubOwn", "seven-3"},
              {"Join", "a/seven/plant"},
              {"Split", json::array{"a", "b", ""}},
              {"If", "little"},
              {"Gone", "(absent)"},
              {"Map", 512},
              {"Base64", "aGVsbG8="},
              {"Import", "imported shared"},
              {"Length", 2},
              {"Text", R"({"a":"3"})"},
              {"Stored", "stored /plant/name!"}};
  for (const auto& row : rows) EXPECT_EQ(resolved(row.property), row.value) << row.property;
}

TEST(Resolver, JsonWithLongFormsIsTheSame) {
  EXPECT_EQ(resolved("A", R"({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Other": {
      "Type": "AWS::S3::Bucket", "Properties": {"A": {"Fn::Join": ["-", ["a",
      {"Fn::GetAtt": ["Bucket", "Arn"]}, {"Ref": "AWS::Region"}]]}}}}})"),
            json::value("a-Bucket.Arn-us-east-1"));
}

std::string refusal(const std::string& property) {
  try {
    (void)resolved("A", R"({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Other": {
      "Type": "AWS::S3::Bucket", "Properties": {"A": )" +
                            property + "}}}}");
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(Resolver, WhatCannotBeResolvedIsNamedWithItsPlace) {
  EXPECT_THAT(refusal(R"({"Ref": "Nobody"})"), HasSubstr("A.Ref: there is no parameter and no"));
  EXPECT_THAT(refusal(R"({"Fn::Select": [5, ["a"]]})"), HasSubstr("no item 5 in a list of 1"));
  EXPECT_THAT(refusal(R"({"Fn::FindInMap": ["a", "b", "c"]})"), HasSubstr("has no a.b.c"));
  EXPECT_THAT(refusal(R"({"Fn::Cidr": []})"), HasSubstr("Fn::Cidr: this server does not have"));
  EXPECT_THAT(refusal(R"({"Fn::If": ["No", 1, 2]})"), HasSubstr("there is no such condition"));
  EXPECT_THAT(refusal(R"("{{resolve:secretsmanager:x}}")"), HasSubstr("would put a secret"));
  EXPECT_THAT(refusal(R"({"Fn::Sub": "${a"})"), HasSubstr("is not closed"));
}

TEST(Resolver, ConditionsThatNeedThemselvesAreRefused) {
  const Template read = template_of(R"({"Conditions": {"A": {"Condition": "B"},
      "B": {"Condition": "A"}}, "Resources": {"X": {"Type": "t", "Condition": "A"}}})");
  const Resolver resolver(read, {}, {});
  EXPECT_THROW((void)resolver.holds("A"), base::Error);
}

TEST(Resolver, DependenciesAreWhatTheTakenBranchNames) {
  const Template read = template_of(R"yaml({"Conditions": {"No": {"Fn::Equals": [1, 2]}},
      "Resources": {"A": {"Type": "t"}, "B": {"Type": "t"}, "C": {"Type": "t"}, "D": {"Type": "t",
      "DependsOn": "C", "Properties": {"X": {"Fn::If": ["No", {"Ref": "A"}, {"Ref": "B"}]},
      "Y": {"Fn::Sub": "${B.Arn}"}}}}})yaml");
  EXPECT_THAT(dependencies(read, *read.find_resource("D"), {}, {}), ElementsAre("C", "B"));
}

TEST(ParameterValues, AreCheckedAgainstWhatTheTemplateSays) {
  const auto given = [](const std::string& parameter, const std::string& value) -> std::string {
    const Template read = read_template(
        R"({"Parameters": {"P": )" + parameter + R"(}, "Resources": {"X": {"Type": "t",
            "Properties": {"A": {"Ref": "P"}}}}})",
        "t");
    try {
      return base::to_text(parameter_values(read, {{"P", value}}, place(), {}).values.at("P"));
    } catch (const base::Error& error) {
      return error.message();
    }
  };
  EXPECT_EQ(given(R"({"Type": "CommaDelimitedList"})", "a, b"), R"(["a","b"])");
  EXPECT_THAT(given(R"({"Type": "Number", "MaxValue": 5})", "6"), HasSubstr("at most 5"));
  EXPECT_THAT(given(R"({"Type": "Number"})", "six"), HasSubstr("must be a number"));
  EXPECT_THAT(given(R"({"Type": "String", "AllowedValues": ["a", "b"]})", "c"),
              HasSubstr("must be one of a, b"));
  EXPECT_THAT(given(R"({"Type": "String", "AllowedPattern": "[a-z]+"})", "A1"),
              HasSubstr("must match [a-z]+"));
  EXPECT_THAT(given(R"({"Type": "String", "MinLength": 3})", "ab"), HasSubstr("at least 3"));
  EXPECT_THAT(given(R"({"Type": "AWS::EC2::VPC::Id"})", "v"), HasSubstr("does not have the type"));
  EXPECT_THAT(given(R"({"Type": "AWS::SSM::Parameter::Value<String>"})", "/a"),
              HasSubstr("no parameter /a in the store"));
}

TEST(ParameterValues, OneThatOnlyRulesUseNeedsNoValueInTheStore) {
  const Template read = template_of(R"({"Parameters": {"BootstrapVersion": {
      "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/x/version"}},
      "Rules": {"Check": {"Assertions": [{"Ref": "BootstrapVersion"}]}},
      "Resources": {"X": {"Type": "t"}}})");
  const auto values = parameter_values(read, {}, place(), {});
  EXPECT_TRUE(values.left_out.contains("BootstrapVersion"));
}

TEST(Template, WhatIsNoTemplateIsRefusedWithItsPlace) {
  const auto refused = [](std::string_view text) -> std::string {
    try {
      (void)read_template(text, "the template");
    } catch (const base::Error& error) {
      return error.message();
    }
    return "it was taken";
  };
  EXPECT_THAT(refused("[1]"), HasSubstr("a template is an object"));
  EXPECT_THAT(refused("{}"), HasSubstr("Resources"));
  EXPECT_THAT(refused(R"({"Resources": {"a-b": {"Type": "t"}}})"), HasSubstr("logical id"));
  EXPECT_THAT(refused(R"({"Resources": {"a": {"Typo": "t"}}})"), HasSubstr("Typo"));
  EXPECT_THAT(refused(R"({"Resources": {"a": {"Type": "t", "DependsOn": "b"}}})"),
              HasSubstr("there is no resource b"));
  EXPECT_THAT(refused(R"({"Transform": "AWS::Serverless-2016-10-31", "Resources": {}})"),
              HasSubstr("no macro AWS::Serverless"));
  EXPECT_THAT(refused("Resources:\n  A:\n    Type: !Nothing x\n"), HasSubstr("line 3"));
}

}  // namespace
}  // namespace andon::stacks
