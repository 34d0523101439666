// SPDX-License-Identifier: Apache-2.0
// The rows of Greengrass and IoT, called as the router calls them: shapes and error codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "api/greengrass/greengrass.hpp"
#include "api/iot/iot.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
namespace json = base::json;

class OperationsTest : public testing::Test, public control::ControlFixture {
 protected:
  OperationsTest() {
    const DeviceEndpoints endpoints{
        .host = "factory.example", .https_port = 8443, .mqtt_port = 8883};
    add(greengrass_operations(control(), [](const std::string& bucket, const std::string& key) {
      return "http://s3/" + bucket + "/" + key;
    }));
    add(iot_operations(control(), endpoints));
    add(enrolment_operations(control(), {.endpoints = endpoints,
                                         .ca_certificate_pem = authority().certificate_pem,
                                         .packages = packages_.path()}));
  }

  base::TemporaryDirectory packages_;

  void add(std::vector<Operation> some) {
    operations_.insert(operations_.end(), some.begin(), some.end());
  }

  json::value call(std::string_view name, const json::object& input) {
    const auto row = std::ranges::find(operations_, name, &Operation::name);
    if (row == operations_.end()) throw std::runtime_error("no operation");
    return row->handler({.caller = {}, .input = input});
  }
  std::string refusal(std::string_view name, const json::object& input) {
    try {
      (void)call(name, input);
    } catch (const base::Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "it was taken";
  }

  std::vector<Operation> operations_;
};

TEST_F(OperationsTest, AComponentIsMadeAndShown) {
  const std::string text = recipe("com.ex.Hello", "1.0.0");
  const json::value made = call("CreateComponentVersion", {{"inlineRecipe", base::to_base64(text)},
                                                           {"tags", {{"team", "vision"}}}});
  EXPECT_EQ(made.at("status").at("componentState").as_string(), "DEPLOYABLE");
  EXPECT_EQ(made.at("creationTimestamp").as_double(), 1'795'343'912.0);
  const json::value arn = made.at("arn");
  const json::value shown = call("DescribeComponent", {{"arn", arn}});
  EXPECT_EQ(shown.at("publisher").as_string(), "tests");
  EXPECT_EQ(shown.at("tags").at("team").as_string(), "vision");
  EXPECT_EQ(shown.at("platforms"),
            json::value(json::array{json::object{{"attributes", {{"os", "linux"}}}}}));
  const json::value got = call("GetComponent", {{"arn", arn}, {"recipeOutputFormat", "JSON"}});
  EXPECT_EQ(base::from_base64(got.at("recipe").as_string()), text);
  const json::value listed = call("ListComponents", {});
  EXPECT_EQ(listed.at("components").at(0).at("latestVersion").at("arn"), arn);
  EXPECT_EQ(call("ListComponents", {{"scope", "PUBLIC"}}).at("components"), json::array{});
}

TEST_F(OperationsTest, AYamlRecipeIsGivenBackAsEither) {
  const std::string yaml =
      "RecipeFormatVersion: 2020-01-25\nComponentName: com.ex.Yaml\nComponentVersion: 1.0.0\n"
      "Manifests:\n  - Platform: {os: linux}\n    Lifecycle: {run: 'true'}\n";
  const json::value arn =
      call("CreateComponentVersion", {{"inlineRecipe", base::to_base64(yaml)}}).at("arn");
  const auto get = [&](const char* format) {
    return *base::from_base64(call("GetComponent", {{"arn", arn}, {"recipeOutputFormat", format}})
                                  .at("recipe")
                                  .as_string());
  };
  EXPECT_EQ(get("YAML"), yaml);
  EXPECT_EQ(base::parse_json(get("JSON"), "recipe").at("ComponentName").as_string(), "com.ex.Yaml");
}

TEST_F(OperationsTest, MistakesInComponentsNameTheMember) {
  EXPECT_THAT(refusal("CreateComponentVersion", {}), HasSubstr("inlineRecipe: is missing"));
  EXPECT_THAT(refusal("CreateComponentVersion", {{"inlineRecipe", "!"}}), HasSubstr("base64"));
  EXPECT_THAT(refusal("CreateComponentVersion", {{"lambdaFunction", json::object{}}}),
              HasSubstr("lambdaFunction"));
  EXPECT_THAT(refusal("DescribeComponent", {{"arn", "x"}}), HasSubstr("arn: \"x\""));
  EXPECT_THAT(
      refusal("DescribeComponent", {{"arn", control().arns.component_version("none", "1.0.0")}}),
      HasSubstr("not_found"));
  EXPECT_THAT(refusal("ListComponents", {{"maxResults", "0"}}), HasSubstr("maxResults"));
  EXPECT_THAT(refusal("ListComponents", {{"maxResults", "x"}}), HasSubstr("maxResults"));
  for (const auto* made_up : {"!", "abc", "MTIzNDU2Nzg5MA"}) {
    EXPECT_THAT(refusal("ListComponents", {{"nextToken", made_up}}), HasSubstr("nextToken"));
  }
  EXPECT_THAT(refusal("ListComponents", {{"scope", "SECRET"}}), HasSubstr("PRIVATE, PUBLIC"));
}

TEST_F(OperationsTest, ListsArePagedToTheEnd) {
  for (const auto* name : {"a", "b", "c"}) add_component(std::string("com.ex.") + name, "1.0.0");
  json::object input{{"maxResults", "2"}};
  const json::value first = call("ListComponents", input);
  EXPECT_EQ(first.at("components").as_array().size(), 2U);
  input["nextToken"] = first.at("nextToken");
  const json::value second = call("ListComponents", input);
  EXPECT_EQ(second.at("components").as_array().size(), 1U);
  EXPECT_FALSE(second.as_object().contains("nextToken"));
}

TEST_F(OperationsTest, AnArtifactsUrlIsPresignedForTheOperator) {
  put_object("models", "a.onnx", "bytes");
  const auto made = control().components.create(
      recipe("com.ex.Model", "1.0.0", R"([{"URI": "s3://models/a.onnx"}])"), std::nullopt);
  const json::value answer =
      call("GetComponentVersionArtifact", {{"arn", made.arn}, {"artifactName", "a.onnx"}});
  EXPECT_THAT(std::string(answer.at("preSignedUrl").as_string()),
              testing::StartsWith("http://s3/andon-artifacts/com.ex.Model/1.0.0/"));
}

TEST_F(OperationsTest, ADeploymentGoesThroughItsLife) {
  add_component("com.ex.Hello", "1.0.0");
  const json::value thing = call("CreateThing", {{"thingName", "dev1"}});
  const json::value made = call(
      "CreateDeployment", {{"targetArn", thing.at("thingArn")},
                           {"deploymentName", "first"},
                           {"components", {{"com.ex.Hello", {{"componentVersion", "1.0.0"}}}}}});
  const json::value id = made.at("deploymentId");
  EXPECT_EQ(made.at("iotJobArn").as_string(),
            "arn:aws:iot:us-east-1:000000000000:job/" + std::string(id.as_string()));
  const json::value got = call("GetDeployment", {{"deploymentId", id}});
  EXPECT_EQ(got.at("deploymentStatus").as_string(), "ACTIVE");
  EXPECT_EQ(got.at("revisionId").as_string(), "1");
  EXPECT_EQ(got.at("isLatestForTarget").as_bool(), true);
  EXPECT_EQ(got.at("components").at("com.ex.Hello").at("componentVersion").as_string(), "1.0.0");
  EXPECT_EQ(got.at("deploymentPolicies").at("failureHandlingPolicy").as_string(), "ROLLBACK");
  const json::value effective = call("ListEffectiveDeployments", {{"coreDeviceThingName", "dev1"}})
                                    .at("effectiveDeployments")
                                    .at(0);
  EXPECT_EQ(effective.at("coreDeviceExecutionStatus").as_string(), "QUEUED");
  EXPECT_EQ(effective.at("targetArn"), thing.at("thingArn"));
  (void)call("CancelDeployment", {{"deploymentId", id}});
  EXPECT_EQ(call("GetDeployment", {{"deploymentId", id}}).at("deploymentStatus").as_string(),
            "CANCELED");
  EXPECT_THAT(refusal("CancelDeployment", {{"deploymentId", id}}), HasSubstr("conflict"));
  EXPECT_TRUE(call("DeleteDeployment", {{"deploymentId", id}}).is_null());
  EXPECT_THAT(refusal("GetDeployment", {{"deploymentId", id}}), HasSubstr("not_found"));
}

TEST_F(OperationsTest, ACoreDeviceIsThereOnceItHasReported) {
  (void)call("CreateThing", {{"thingName", "dev1"}});
  const json::object device{{"coreDeviceThingName", "dev1"}};
  EXPECT_THAT(refusal("GetCoreDevice", device), HasSubstr("not_found"));
  (void)control().core_devices.take_health(
      "dev1", R"({"sequenceNumber": 1, "timestamp": 1, "messageType": "COMPLETE",
        "overallDeviceStatus": "UNHEALTHY", "ggcVersion": "0.1.0", "platform": "linux",
        "architecture": "amd64", "components": [
          {"componentName": "com.ex.App", "version": "1.0.0", "isRoot": true, "status": "BROKEN",
           "fleetConfigArns": ["arn:x"],
           "componentStatusDetails": {"statusCodes": ["RUN_ERROR"], "statusReason": "exit 3"}},
          {"componentName": "com.ex.Model", "version": "1.0.0", "isRoot": false,
           "status": "FINISHED"}]})");
  const json::value got = call("GetCoreDevice", device);
  EXPECT_EQ(got.at("status").as_string(), "UNHEALTHY");
  EXPECT_EQ(got.at("coreVersion").as_string(), "0.1.0");
  EXPECT_EQ(call("ListCoreDevices", {{"status", "UNHEALTHY"}}).at("coreDevices").as_array().size(),
            1U);
  const json::value roots = call("ListInstalledComponents", device).at("installedComponents");
  ASSERT_EQ(roots.as_array().size(), 1U);
  EXPECT_EQ(roots.at(0).at("lifecycleState").as_string(), "BROKEN");
  EXPECT_EQ(roots.at(0).at("lifecycleStateDetails").as_string(), "exit 3");
  EXPECT_EQ(roots.at(0).at("lifecycleStatusCodes"), json::array{"RUN_ERROR"});
  EXPECT_EQ(roots.at(0).at("lastInstallationSource").as_string(), "arn:x");
  const json::value all =
      call("ListInstalledComponents", {{"coreDeviceThingName", "dev1"}, {"topologyFilter", "ALL"}});
  EXPECT_EQ(all.at("installedComponents").as_array().size(), 2U);
}

TEST_F(OperationsTest, TagsAreSetShownAndRemoved) {
  const std::string arn = add_component("com.ex.Hello", "1.0.0").arn;
  (void)call("TagResource", {{"resourceArn", arn}, {"tags", {{"a", "1"}, {"b", "2"}}}});
  (void)call("UntagResource", {{"resourceArn", arn}, {"tagKeys", "a"}});
  EXPECT_EQ(call("ListTagsForResource", {{"resourceArn", arn}}).at("tags"),
            json::value({{"b", "2"}}));
  EXPECT_THAT(refusal("ListTagsForResource", {{"resourceArn", "arn:x"}}), HasSubstr("not_found"));
}

TEST_F(OperationsTest, ThingsAndGroupsHaveTheirAwsShapes) {
  const json::value made =
      call("CreateThing",
           {{"thingName", "dev1"}, {"attributePayload", {{"attributes", {{"line", "1"}}}}}});
  EXPECT_EQ(made.at("thingArn").as_string(), "arn:aws:iot:us-east-1:000000000000:thing/dev1");
  const json::value thing = call("DescribeThing", {{"thingName", "dev1"}});
  EXPECT_EQ(thing.at("thingId"), made.at("thingId"));
  EXPECT_EQ(thing.at("attributes").at("line").as_string(), "1");
  (void)call("CreateThingGroup", {{"thingGroupName", "G"}});
  (void)call("AddThingToThingGroup",
             {{"thingGroupArn", control().arns.thing_group("G")}, {"thingName", "dev1"}});
  EXPECT_EQ(call("ListThingsInThingGroup", {{"thingGroupName", "G"}}).at("things"),
            json::array{"dev1"});
  EXPECT_EQ(call("ListThingGroupsForThing", {{"thingName", "dev1"}})
                .at("thingGroups")
                .at(0)
                .at("groupName")
                .as_string(),
            "G");
  EXPECT_EQ(call("DescribeThingGroup", {{"thingGroupName", "G"}}).at("version").as_int64(), 1);
  EXPECT_THAT(refusal("DescribeThing", {{"thingName", "none"}}), HasSubstr("not_found"));
}

TEST_F(OperationsTest, EndpointsNameThePortWhereItIsNotTheUsualOne) {
  const auto address = [&](const char* type) {
    return std::string(
        call("DescribeEndpoint", {{"endpointType", type}}).at("endpointAddress").as_string());
  };
  EXPECT_EQ(address("iot:Data-ATS"), "factory.example");
  EXPECT_EQ(address("iot:CredentialProvider"), "factory.example:8443");
  EXPECT_THAT(refusal("DescribeEndpoint", {{"endpointType", "iot:Nothing"}}),
              HasSubstr("endpointType"));
}

TEST_F(OperationsTest, AnEnrolmentTokenHoldsWhereToGoAndWhomToTrust) {
  const json::value made = call("CreateEnrolmentToken", {{"thingName", "dev1"}});
  const std::string token(made.at("token").as_string());
  ASSERT_THAT(token, testing::StartsWith("andon1."));
  const json::value content = base::parse_json(*base::from_base64url(token.substr(7)), "token");
  EXPECT_EQ(content.at("url").as_string(), "https://factory.example:8443");
  EXPECT_EQ(content.at("ca").as_string(),
            trust::describe_certificate(authority().certificate_pem).fingerprint);
  EXPECT_EQ(made.at("expiresAt").as_string(),
            base::to_iso8601(clock().now() + std::chrono::hours(1)));
  EXPECT_THAT(refusal("CreateEnrolmentToken", {{"thingName", "andon-server"}}),
              HasSubstr("server's own"));
}

TEST_F(OperationsTest, WhereThereArePackagesAFreshMachineEnrolsByOneLine) {
  EXPECT_FALSE(call("CreateEnrolmentToken", {{"thingName", "dev1"}}).as_object().contains("line"));
  base::write_file_atomically(packages_.path() / "andon.gpg", "\x98key");
  const json::value made =
      call("CreateEnrolmentToken", {{"thingName", "dev1"}, {"proxy", "http://proxy.plant:3128"}});
  const std::string line(made.at("line").as_string());
  EXPECT_THAT(line, HasSubstr("https://factory.example:8443/packages/ stable main"));
  EXPECT_THAT(line, HasSubstr(std::string(made.at("token").as_string())));
  EXPECT_THAT(line, HasSubstr("ANDON_PROXY='http://proxy.plant:3128'"));
  EXPECT_THAT(refusal("CreateEnrolmentToken", {{"thingName", "dev1"}, {"proxy", "proxy"}}),
              HasSubstr("proxy"));
}

TEST_F(OperationsTest, CertificatesAreFoundByThingAndCanBeRevoked) {
  const std::string id = trust::describe_certificate(enrol("dev1")).fingerprint;
  EXPECT_EQ(call("ListThingPrincipals", {{"thingName", "dev1"}}).at("principals"),
            json::array{control().arns.certificate(id)});
  (void)call("UpdateCertificate", {{"certificateId", id}, {"newStatus", "REVOKED"}});
  EXPECT_EQ(call("DescribeCertificate", {{"certificateId", id}})
                .at("certificateDescription")
                .at("status")
                .as_string(),
            "REVOKED");
  EXPECT_THAT(refusal("UpdateCertificate", {{"certificateId", id}, {"newStatus", "GONE"}}),
              HasSubstr("newStatus"));
}

}  // namespace
}  // namespace andon::api
