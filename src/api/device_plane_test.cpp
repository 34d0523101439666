// SPDX-License-Identifier: Apache-2.0
#include "api/device_plane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "control/control_fixture.hpp"
#include "recipe/recipe_parser.hpp"
#include "trust/digest.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
using wire::HttpRequest;
using wire::HttpResponse;
namespace json = base::json;

class DevicePlaneTest : public testing::Test, public control::ControlFixture {
 protected:
  DevicePlaneTest()
      : plane_(control(), objects(),
               {.endpoints = {.host = "factory.example", .https_port = 9443, .mqtt_port = 9883},
                .ca_certificate_pem = authority().certificate_pem,
                .issue_credentials =
                    [this](const std::string& principal) {
                      return TemporaryCredentials{"ASIA1", "secret of " + principal, "session",
                                                  clock().now() + std::chrono::hours(1)};
                    },
                .s3 = [](HttpRequest&) { return HttpResponse{.status = 299, .body = "s3"}; }}) {
    put_object("models", "a.onnx", "0123456789");
    control().components.create(
        recipe("com.ex.Model", "1.0.0", R"([{"URI": "s3://models/a.onnx"}])"), std::nullopt);
    dev1_ = enrol("dev1");
    dev2_ = enrol("dev2");
  }

  std::string enrol(const std::string& thing) {
    const auto token = control().enrolment.issue_token(thing, std::chrono::hours(1));
    return control()
        .enrolment.enrol(token.secret, trust::make_csr(trust::make_private_key(), "x"))
        .certificate_pem;
  }

  HttpResponse send(const std::string& method, const std::string& path,
                    const std::optional<std::string>& certificate, const std::string& body = {},
                    const wire::Headers& headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = path;
    request.path = path.substr(0, path.find('?'));
    request.headers = headers;
    request.body = wire::Body(body);
    request.client_certificate_pem = certificate;
    return plane_.handle(request);
  }

  static json::value body_of(const HttpResponse& response) {
    return base::parse_json(std::get<std::string>(response.body), "response");
  }
  static std::string bytes_of(const HttpResponse& response) {
    const auto& file = std::get<wire::FileBody>(response.body);
    std::string bytes(file.size, '\0');
    EXPECT_EQ(::pread(file.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(file.offset)),
              static_cast<ssize_t>(file.size));
    return bytes;
  }

  HttpResponse resolve(const std::string& certificate, const std::string& component) {
    return send("POST", "/greengrass/v2/resolveComponentCandidates", certificate,
                R"({"componentCandidates":[{"componentName":")" + component +
                    R"(","versionRequirements":{"requirements":"1.0.0"}}],
                    "platform":{"name":"linux","attributes":{"os":"linux",
                    "architecture":"amd64"}}})");
  }

  const std::string arn_ =
      "arn:aws:greengrass:us-east-1:000000000000:components:com.ex.Model"
      ":versions:1.0.0";
  const std::string blob_ = "/andon/v1/blobs/sha256/" + trust::sha256_hex("0123456789");
  std::string dev1_;
  std::string dev2_;
  DevicePlane plane_;
};

TEST_F(DevicePlaneTest, ADeviceGetsFromItsDeploymentToTheBytes) {
  (void)deploy("thing/dev1", "com.ex.Model", "1.0.0");
  const HttpResponse resolved = resolve(dev1_, "com.ex.Model");
  ASSERT_EQ(resolved.status, 200);
  const json::value one = body_of(resolved).at("resolvedComponentVersions").at(0);
  EXPECT_EQ(one.at("arn").as_string(), arn_);
  EXPECT_EQ(one.at("vendorGuidance").as_string(), "ACTIVE");
  const auto recipe = recipe::parse_recipe(*base::from_base64(one.at("recipe").as_string()));
  EXPECT_EQ(recipe.manifests.at(0).artifacts.at(0).uri, "greengrass:a.onnx");
  EXPECT_EQ(recipe.manifests.at(0).artifacts.at(0).size, 10U);

  for (const std::string& arn : {arn_, base::percent_encode(arn_)}) {
    const HttpResponse artifact =
        send("GET", "/greengrass/v2/components/" + arn + "/artifacts/a.onnx", dev1_);
    ASSERT_EQ(artifact.status, 200);
    EXPECT_EQ(body_of(artifact).at("preSignedUrl").as_string(),
              "https://factory.example:9443" + blob_ + "?artifact=a.onnx");
  }
  const HttpResponse blob = send("GET", blob_ + "?artifact=a.onnx", dev1_);
  EXPECT_EQ(blob.status, 200);
  EXPECT_EQ(bytes_of(blob), "0123456789");
}

TEST_F(DevicePlaneTest, ADownloadResumesWhereItStopped) {
  control().access.grant("dev1", "com.ex.Model", "1.0.0");
  const HttpResponse whole = send("GET", blob_, dev1_);
  const std::string etag(*whole.headers.find("ETag"));
  const HttpResponse part =
      send("GET", blob_, dev1_, "", {{"Range", "bytes=4-"}, {"If-Range", etag}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.headers.find("Content-Range"), "bytes 4-9/10");
  EXPECT_EQ(bytes_of(part), "456789");
  EXPECT_EQ(send("GET", blob_, dev1_, "", {{"Range", "bytes=4-"}, {"If-Range", "\"x\""}}).status,
            200);
  EXPECT_EQ(send("GET", blob_, dev1_, "", {{"Range", "bytes=10-"}}).status, 416);
  EXPECT_EQ(send("HEAD", blob_, dev1_).status, 200);
  EXPECT_EQ(send("GET", blob_, dev1_, "", {{"If-None-Match", etag}}).status, 304);
}

TEST_F(DevicePlaneTest, NothingOfAnotherDeviceCanBeHad) {
  (void)deploy("thing/dev1", "com.ex.Model", "1.0.0");
  (void)resolve(dev1_, "com.ex.Model");
  EXPECT_EQ(resolve(dev2_, "com.ex.Model").status, 403);
  EXPECT_EQ(send("GET", "/greengrass/v2/components/" + arn_ + "/artifacts/a.onnx", dev2_).status,
            403);
  EXPECT_EQ(send("GET", blob_, dev2_).status, 403);
  EXPECT_EQ(send("GET", "/greengrass/v2/coreDevices/dev1/thingGroups", dev2_).status, 403);
  EXPECT_EQ(
      send("GET", "/role-aliases/x/credentials", dev2_, "", {{"x-amzn-iot-thingname", "dev1"}})
          .status,
      403);
}

TEST_F(DevicePlaneTest, WithoutAGoodCertificateNothingIsServed) {
  control().access.grant("dev1", "com.ex.Model", "1.0.0");
  const auto statuses = [&](const std::optional<std::string>& certificate) {
    return std::vector<int>{
        send("GET", blob_, certificate).status,
        send("GET", "/greengrass/v2/coreDevices/dev1/thingGroups", certificate).status,
        send("GET", "/role-aliases/x/credentials", certificate).status,
        send("POST", "/greengrass/v2/resolveComponentCandidates", certificate, "{}").status};
  };
  EXPECT_THAT(statuses(std::nullopt), testing::Each(403));
  control().enrolment.set_status(trust::describe_certificate(dev1_).fingerprint,
                                 control::CertificateStatus::revoked);
  EXPECT_THAT(statuses(dev1_), testing::Each(403));
}

TEST_F(DevicePlaneTest, PermanentMistakesAre404Or403AndMalformedBodies400) {
  (void)deploy("thing/dev1", "com.ex.Model", "1.0.0");
  (void)resolve(dev1_, "com.ex.Model");
  const std::string components = "/greengrass/v2/components/";
  EXPECT_EQ(send("GET", components + arn_ + "/artifacts/none", dev1_).status, 404);
  EXPECT_EQ(send("GET", components + "nonsense/artifacts/a", dev1_).status, 404);
  EXPECT_EQ(send("GET", components + "%zz/artifacts/a", dev1_).status, 404);
  EXPECT_EQ(send("GET", "/greengrass/v2/none", dev1_).status, 404);
  EXPECT_EQ(send("GET", "/greengrass/v2/resolveComponentCandidates", dev1_).status, 404);
  for (const auto* body : {"", "{", "[]", "{}", R"({"componentCandidates": [1]})"}) {
    EXPECT_EQ(send("POST", "/greengrass/v2/resolveComponentCandidates", dev1_, body).status, 400);
  }
  const HttpResponse no_version = send("POST", "/greengrass/v2/resolveComponentCandidates", dev1_,
                                       R"({"componentCandidates":[{"componentName":"com.ex.Model",
               "versionRequirements":{"requirements":"2.0.0"}}]})");
  EXPECT_EQ(no_version.status, 404);
  EXPECT_THAT(std::string(body_of(no_version).at("message").as_string()),
              HasSubstr("no usable version"));
}

TEST_F(DevicePlaneTest, GroupsAreListedWithTheirParents) {
  control().things.create_group("Site", "", "", {});
  control().things.create_group("Line", "Site", "", {});
  control().things.add_to_group("dev1", "Line");
  const auto groups = [&] {
    return body_of(send("GET", "/greengrass/v2/coreDevices/dev1/thingGroups", dev1_));
  };
  EXPECT_EQ(base::to_text(groups()),
            R"({"thingGroups":[{"thingGroupName":"Line","thingGroupArn":)"
            R"("arn:aws:iot:us-east-1:000000000000:thinggroup/Line","rootToParentThingGroups":)"
            R"([{"thingGroupName":"Site","thingGroupArn":)"
            R"("arn:aws:iot:us-east-1:000000000000:thinggroup/Site"}]}]})");
  // A nucleus lite needs its own name among them to keep what was deployed to it alone.
  (void)control().core_devices.take_health(
      "dev1", R"({"sequenceNumber": 1, "timestamp": 1, "messageType": "COMPLETE",
                  "overallDeviceStatus": "HEALTHY", "runtime": "aws_nucleus_lite"})");
  EXPECT_EQ(groups().at("thingGroups").as_array().size(), 2U);
}

TEST_F(DevicePlaneTest, CredentialsAreForTheDeviceItself) {
  const HttpResponse response =
      send("GET", "/role-aliases/any/credentials", dev1_, "", {{"x-amzn-iot-thingname", "dev1"}});
  ASSERT_EQ(response.status, 200);
  const json::value credentials = body_of(response).at("credentials");
  EXPECT_EQ(credentials.at("secretAccessKey").as_string(), "secret of thing/dev1");
  EXPECT_EQ(credentials.at("sessionToken").as_string(), "session");
  EXPECT_TRUE(base::parse_iso8601(credentials.at("expiration").as_string()));
}

TEST_F(DevicePlaneTest, ADeviceEnrolsWithItsTokenAndKey) {
  EXPECT_EQ(std::get<std::string>(send("GET", "/andon/v1/ca.pem", std::nullopt).body),
            authority().certificate_pem);
  const auto token = control().enrolment.issue_token("dev3", std::chrono::hours(1));
  const std::string body = base::to_text(
      {{"secret", token.secret}, {"csr", trust::make_csr(trust::make_private_key(), "x")}});
  const HttpResponse response = send("POST", "/andon/v1/enrol", std::nullopt, body);
  ASSERT_EQ(response.status, 200);
  const json::value answer = body_of(response);
  EXPECT_EQ(answer.at("thingName").as_string(), "dev3");
  EXPECT_EQ(answer.at("mqtt"), json::value({{"host", "factory.example"}, {"port", 9883}}));
  EXPECT_EQ(answer.at("dataPlane"), json::value({{"host", "factory.example"}, {"port", 9443}}));
  EXPECT_EQ(answer.at("region").as_string(), "us-east-1");
  const std::string certificate(answer.at("certificatePem").as_string());
  EXPECT_EQ(send("GET", "/greengrass/v2/coreDevices/dev3/thingGroups", certificate).status, 200);

  const std::string other_key = base::to_text(
      {{"secret", token.secret}, {"csr", trust::make_csr(trust::make_private_key(), "x")}});
  EXPECT_EQ(send("POST", "/andon/v1/enrol", std::nullopt, other_key).status, 403);
  EXPECT_EQ(send("POST", "/andon/v1/enrol", std::nullopt, "{}").status, 400);
}

TEST_F(DevicePlaneTest, EverythingElseIsTheObjectStores) {
  EXPECT_EQ(send("PUT", "/andon-uploads/dev1/image.jpg", std::nullopt).status, 299);
}

}  // namespace
}  // namespace andon::api
