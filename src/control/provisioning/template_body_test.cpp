// SPDX-License-Identifier: Apache-2.0
#include "control/provisioning/template_body.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kBody = R"({
  "Parameters": {"SerialNumber": {"Type": "String"}, "Line": {"Type": "String", "Default": "1"},
                 "AWS::IoT::Certificate::Id": {"Type": "String"}},
  "Mappings": {"Halls": {"1": {"Name": "north"}, "2": {"Name": "south"}}},
  "Resources": {
    "thing": {"Type": "AWS::IoT::Thing",
      "OverrideSettings": {"AttributePayload": "MERGE", "ThingTypeName": "REPLACE"},
      "Properties": {"ThingName": {"Fn::Join": ["", ["cam-", {"Ref": "SerialNumber"}]]},
        "AttributePayload": {"version": "v1", "serial": {"Ref": "SerialNumber"}},
        "ThingGroups": ["a", {"Fn::FindInMap": ["Halls", {"Ref": "Line"}, "Name"]}],
        "ThingTypeName": {"Fn::Select": ["0", ["camera", "x"]]}}},
    "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
        "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
    "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyDocument": {"Statement": []}}}},
  "DeviceConfiguration": {"hall": {"Fn::Sub": "${Line}/${SerialNumber}"}}})";

std::string refusal(std::string_view text) {
  try {
    (void)TemplateBody::parse(text);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(TemplateBody, ComesToWhatItsParametersSay) {
  const Provisioning filled = TemplateBody::parse(kBody).fill_in(
      {{"SerialNumber", "7"}, {"Line", "2"}, {"AWS::IoT::Certificate::Id", "c0"}, {"more", "x"}});
  ASSERT_TRUE(filled.thing);
  const ThingWish& thing = filled.thing->second;
  EXPECT_EQ(thing.name, "cam-7");
  EXPECT_EQ(thing.attributes, (std::map<std::string, std::string>{{"serial", "7"}}));
  EXPECT_EQ(thing.groups, (std::vector<std::string>{"a", "south"}));
  EXPECT_EQ(thing.type_name, "camera");
  EXPECT_EQ(thing.on_attributes, Override::merge);
  EXPECT_EQ(thing.on_type, Override::replace);
  EXPECT_EQ(thing.on_groups, Override::leave);
  ASSERT_TRUE(filled.certificate);
  EXPECT_EQ(filled.certificate->second.id, "c0");
  EXPECT_EQ(filled.policies.at("policy").document, R"({"Statement":[]})");
  EXPECT_EQ(filled.device_configuration.at("hall"), "2/7");
}

TEST(TemplateBody, AParameterWithoutAValueIsNamed) {
  try {
    (void)TemplateBody::parse(kBody).fill_in({{"Line", "2"}});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.message()).find("parameters.AWS::IoT::Certificate::Id"),
              std::string::npos);
  }
}

TEST(TemplateBody, WhatADeviceSaysOfItselfWidensNoPolicy) {
  constexpr std::string_view kAsObject = R"({
    "Parameters": {"Serial": {"Type": "String"}, "Note": {"Type": "String", "Default": ""}},
    "Resources": {
      "t": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": "a",
            "AttributePayload": {"note": {"Ref": "Note"}}}},
      "p": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": "iot:Publish", "Resource":
             {"Fn::Join": ["", ["arn:aws:iot:us-east-1:1:topic/", {"Ref": "Serial"}, "/x"]]}}]}}}}})";
  constexpr std::string_view kAsText = R"({
    "Parameters": {"Serial": {"Type": "String"}},
    "Resources": {
      "p": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyDocument":
            {"Fn::Sub": "{\"Resource\": \"topic/${Serial}\"}"}}}}})";
  for (const std::string_view text : {kAsObject, kAsText}) {
    const TemplateBody body = TemplateBody::parse(text);
    for (const char* serial : {"*", "4?", "+", "#", "${iot:ClientId}", "a\", \"b", "\\", "\n"}) {
      try {
        (void)body.fill_in({{"Serial", serial}});
        ADD_FAILURE() << serial;
      } catch (const base::Error& error) {
        EXPECT_NE(error.message().find("parameters.Serial"), std::string::npos);
      }
    }
    EXPECT_NO_THROW((void)body.fill_in({{"Serial", "Line 4/cam-7:a_b"}, {"Note", "5 * 3 = ?"}}));
  }
}

TEST(TemplateBody, WhatCannotBeCarriedOutIsRefusedWithItsPlace) {
  EXPECT_NE(
      refusal(R"({"Resources": {"x": {"Type": "AWS::S3::Bucket"}}})").find("Resources.x.Type"),
      std::string::npos);
  EXPECT_NE(refusal(R"({"Resources": {"t": {"Type": "AWS::IoT::Thing", "Properties": {
                        "ThingName": {"Ref": "Nobody"}}}}})")
                .find("Nobody"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"Resources": {"t": {"Type": "AWS::IoT::Thing", "Properties": {
                        "ThingName": "a", "BillingGroup": "b"}}}})")
                .find("BillingGroup"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"Resources": {"t": {"Type": "AWS::IoT::Thing",
                        "OverrideSettings": {"ThingTypeName": "MERGE"},
                        "Properties": {"ThingName": "a"}}}})")
                .find("ThingTypeName"),
            std::string::npos);
  EXPECT_NE(refusal("{}").find("Resources"), std::string::npos);
  EXPECT_NE(refusal(std::string(10'241, ' ')).find("10240"), std::string::npos);
}

}  // namespace
}  // namespace andon::control
