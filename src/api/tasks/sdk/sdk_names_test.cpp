// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/sdk/sdk_names.hpp"

#include <gtest/gtest.h>

namespace andon::api {
namespace {

namespace json = base::json;

json::value parse(std::string_view text) {
  return base::parse_json(text, "the test's JSON");
}

TEST(SdkNamesTest, MembersAreSpelledAsTheSdkSpellsThem) {
  const struct {
    const char* own;
    const char* sdk;
  } rows[] = {{"thingArn", "ThingArn"},
              {"DBSubnetGroupName", "DbSubnetGroupName"},
              {"BOOL", "Bool"},
              {"ETag", "ETag"},
              {"memorySizeInKB", "MemorySizeInKb"},
              {"SupportedResponseMIMETypes", "SupportedResponseMimeTypes"},
              {"x", "X"}};
  for (const auto& row : rows) EXPECT_EQ(to_sdk_name(row.own), row.sdk);
}

TEST(SdkNamesTest, AStateGivesMembersWithCapitalsAndKeysOfMapsStay) {
  const auto given = parse(R"({"TargetArn": "t", "Components": {"com.Example": {"ComponentVersion":
      "1.0.0"}}, "Tags": {"Plant": "1"}})");
  EXPECT_EQ(base::to_text(from_sdk(*find_sdk_service("greengrassv2"), given.as_object())),
            R"({"targetArn":"t","components":{"com.Example":{"componentVersion":"1.0.0"}},)"
            R"("tags":{"Plant":"1"}})");
}

TEST(SdkNamesTest, BytesAreTheCompactJsonOfWhateverIsGiven) {
  const auto given = parse(R"({"InlineRecipe": {"a":  [1, 2]}})");
  EXPECT_EQ(from_sdk(*find_sdk_service("greengrassv2"), given.as_object()).at("inlineRecipe"),
            json::value("eyJhIjpbMSwyXX0="));
}

TEST(SdkNamesTest, ATextThatIsGivenAnObjectTakesItsJson) {
  const auto given = parse(R"({"Input": {"a": 1}, "Name": "n"})");
  const auto input = from_sdk(*find_sdk_service("sfn"), given.as_object());
  EXPECT_EQ(input.at("input"), json::value(R"({"a":1})"));
  EXPECT_EQ(input.at("name"), json::value("n"));
}

TEST(SdkNamesTest, AResultHasTimesAsText) {
  const auto output = parse(
      R"({"deploymentId": "d", "creationTimestamp": 1700000000.5, "components": {"a.b": {"x": 1}}})");
  EXPECT_EQ(base::to_text(to_sdk(*find_sdk_service("greengrassv2"), output)),
            R"({"DeploymentId":"d","CreationTimestamp":"2023-11-14T22:13:20.500Z",)"
            R"("Components":{"a.b":{"X":1}}})");
}

TEST(SdkNamesTest, ErrorsAreNamedAsAwsFormsThem) {
  EXPECT_EQ(sdk_error_name("SageMaker", "ResourceNotFound"), "SageMaker.ResourceNotFoundException");
  EXPECT_EQ(sdk_error_name("Sfn", "InvalidTokenException"), "Sfn.InvalidTokenException");
  EXPECT_EQ(sdk_cause("gone", "Iot", 404, "id"),
            "gone (Service: Iot, Status Code: 404, Request ID: id) (SDK Attempt Count: 1)");
}

}  // namespace
}  // namespace andon::api
