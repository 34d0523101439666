// SPDX-License-Identifier: Apache-2.0
#include "api/device/device_plane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "control/testing/control_fixture.hpp"
#include "recipe/recipe/recipe_parser.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
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
                    [this](const std::string& thing, const std::string&, const std::string&) {
                      return TemporaryCredentials{"ASIA1", "secret of thing/" + thing, "session",
                                                  clock().now() + std::chrono::hours(1)};
                    },
                .services = {{.has = [](const HttpRequest& head) { return head.path == "/"; },
                              .admit =
                                  [](const HttpRequest&) {
                                    return wire::HttpAdmission{HttpResponse{.status = 297}, 0};
                                  },
                              .answer =
                                  [](const Caller& device, const HttpRequest&) {
                                    return HttpResponse{.status = 296,
                                                        .body = "call of " + device.principal};
                                  }}},
                .s3 = [](HttpRequest&) { return HttpResponse{.status = 299, .body = "s3"}; },
                .admit_s3 =
                    [](const HttpRequest&) {
                      return wire::HttpAdmission{HttpResponse{.status = 298}, 0};
                    }}) {
    put_object("models", "a.onnx", "0123456789");
    control().components.create(
        recipe("com.ex.Model", "1.0.0", R"([{"URI": "s3://models/a.onnx"}])"), std::nullopt);
    dev1_ = enrol("dev1");
    dev2_ = enrol("dev2");
  }

  HttpResponse send(const std::string& method, const std::string& path,
                    const std::optional<std::string>& certificate, const std::string& body = {},
                    const wire::Headers& headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = path;
    request.path = path.substr(0, path.find('?'));
    if (const auto at = path.find('?'); at != std::string::npos) {
      request.query = wire::parse_query(std::string_view(path).substr(at + 1)).value();
    }
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

TEST_F(DevicePlaneTest, PackagesNeedNoCertificateAndTakeNoBody) {
  const base::TemporaryDirectory directory;
  base::write_file_atomically(directory.path() / "InRelease", "signed");
  DevicePlane plane(control(), objects(),
                    {.s3 = [](HttpRequest&) { return HttpResponse{.status = 299}; },
                     .packages = directory.path()});
  HttpRequest request;
  request.method = "GET";
  request.path = request.target = "/packages/InRelease";
  EXPECT_EQ(bytes_of(plane.handle(request)), "signed");
  EXPECT_FALSE(plane.admit(request).refusal.has_value());
  EXPECT_EQ(plane.admit(request).max_body_bytes, 0U);
  request.path = request.target = "/packages/none";
  EXPECT_EQ(plane.handle(request).status, 404);
  request.method = "PUT";
  EXPECT_EQ(plane.handle(request).status, 400);
  // Where no packages are offered the path is a bucket's.
  EXPECT_EQ(send("GET", "/packages/InRelease", std::nullopt).status, 299);
}

TEST_F(DevicePlaneTest, AdmitsABodyOnlyOfWhoMaySendOne) {
  HttpRequest head;
  head.method = "POST";
  head.path = "/greengrass/v2/resolveComponentCandidates";
  EXPECT_EQ(plane_.admit(head).refusal.value().status, 403);
  head.client_certificate_pem = dev1_;
  EXPECT_FALSE(plane_.admit(head).refusal);
  EXPECT_GT(plane_.admit(head).max_body_bytes, 0U);
  head.client_certificate_pem.reset();
  head.path = "/andon/v1/enrol";
  EXPECT_FALSE(plane_.admit(head).refusal);
  EXPECT_LE(plane_.admit(head).max_body_bytes, 64U << 10U);
  head.path = "/bucket/key";
  EXPECT_EQ(plane_.admit(head).refusal.value().status, 298);
}

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

TEST_F(DevicePlaneTest, ANucleusOfGreengrassGetsALinkThatIsGoodWithoutACertificate) {
  control().access.grant("dev1", "com.ex.Model", "1.0.0");
  const auto url_after = [&](const std::string& sequence, const std::string& runtime) {
    (void)control().core_devices.take_health(
        "dev1",
        R"({"sequenceNumber": )" + sequence + R"(, "timestamp": )" + sequence +
            R"(, "messageType": "COMPLETE", "overallDeviceStatus": "HEALTHY", "runtime": ")" +
            runtime + R"("})");
    return std::string(
        body_of(send("GET", "/greengrass/v2/components/" + arn_ + "/artifacts/a.onnx", dev1_))
            .at("preSignedUrl")
            .as_string());
  };
  const std::string place = "https://factory.example:9443" + blob_;
  EXPECT_EQ(url_after("1", "andon_edge"), place + "?artifact=a.onnx");
  const std::string url = url_after("2", "aws_nucleus_lite");
  ASSERT_THAT(url, StartsWith(place + "?artifact=a.onnx&thing=dev1&until="));
  const std::string query = url.substr(place.size());
  EXPECT_EQ(bytes_of(send("GET", blob_ + query, std::nullopt)), "0123456789");
  EXPECT_EQ(send("GET", blob_ + query + "0", std::nullopt).status, 403);
  const std::string other = "/andon/v1/blobs/sha256/" + trust::sha256_hex("another");
  EXPECT_EQ(send("GET", other + query, std::nullopt).status, 403);
  control().certificates.set_status(trust::describe_certificate(dev1_).fingerprint,
                                    control::CertificateStatus::revoked);
  EXPECT_EQ(send("GET", blob_ + query, std::nullopt).status, 403);
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
  control().certificates.set_status(trust::describe_certificate(dev1_).fingerprint,
                                    control::CertificateStatus::revoked);
  EXPECT_THAT(statuses(dev1_), testing::Each(403));
}

TEST_F(DevicePlaneTest, AComponentWithoutAManifestForTheDeviceIsRefusedWithAReason) {
  add_component("com.ex.Hello", "1.0.0");
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const HttpResponse refused = send("POST", "/greengrass/v2/resolveComponentCandidates", dev1_,
                                    R"({"componentCandidates":[{"componentName":"com.ex.Hello"}],
               "platform":{"name":"windows","attributes":{"os":"windows"}}})");
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(body_of(refused).at("reason").as_string(), "PLATFORM_NOT_SUPPORTED");
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
  // A nucleus lite needs its own name among them to keep what was deployed to it alone, and reads
  // no parents and 2048 bytes at most.
  (void)control().core_devices.take_health(
      "dev1", R"({"sequenceNumber": 1, "timestamp": 1, "messageType": "COMPLETE",
                  "overallDeviceStatus": "HEALTHY", "runtime": "aws_nucleus_lite"})");
  EXPECT_EQ(base::to_text(groups()),
            R"({"thingGroups":[{"thingGroupName":"Line"},{"thingGroupName":"Site"},)"
            R"({"thingGroupName":"dev1"}]})");
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::string(100, 'g') + std::to_string(i);
    control().things.create_group(name, "", "", {});
    control().things.add_to_group("dev1", name);
  }
  EXPECT_EQ(send("GET", "/greengrass/v2/coreDevices/dev1/thingGroups", dev1_).status, 403);
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

TEST_F(DevicePlaneTest, ACertificateThatIsOverOpensItsOwnRenewalAndNothingElse) {
  const std::string key = trust::make_private_key();
  const std::string old = enrol("dev3", key);
  const auto renew = [&](const std::optional<std::string>& of_connection, json::object body) {
    return send("POST", "/andon/v1/renew", of_connection, base::to_text(body));
  };
  clock().advance(std::chrono::days(91));
  for (const auto* path : {"/greengrass/v2/coreDevices/dev3/thingGroups",
                           "/role-aliases/x/credentials", "/andon/v1/blobs/sha256/00"}) {
    EXPECT_EQ(send("GET", path, old).status, 403) << path;
  }
  const std::string csr = trust::make_csr(key, "dev1");
  EXPECT_EQ(renew(std::nullopt, {{"csr", csr}}).status, 400);
  EXPECT_EQ(renew(std::nullopt, {{"certificatePem", "junk"}, {"csr", csr}}).status, 400);
  const HttpResponse answer = renew(std::nullopt, {{"certificatePem", old}, {"csr", csr}});
  ASSERT_EQ(answer.status, 200);
  const std::string renewed(body_of(answer).at("certificatePem").as_string());
  EXPECT_EQ(send("GET", "/greengrass/v2/coreDevices/dev3/thingGroups", renewed).status, 200);
  EXPECT_EQ(send("GET", "/greengrass/v2/coreDevices/dev1/thingGroups", renewed).status, 403);
  // Another key: only with a connection of the certificate itself.
  const std::string other = trust::make_csr(trust::make_private_key(), "x");
  EXPECT_EQ(renew(std::nullopt, {{"certificatePem", renewed}, {"csr", other}}).status, 403);
  EXPECT_EQ(renew(renewed, {{"csr", other}}).status, 200);
}

TEST_F(DevicePlaneTest, ACallOfTheOperatorsApiNeedsTheCertificate) {
  EXPECT_EQ(send("POST", "/", dev1_).status, 296);
  EXPECT_EQ(send("POST", "/", std::nullopt).status, 403);
  HttpRequest head;
  head.method = "POST";
  head.target = head.path = "/";
  const wire::HttpAdmission refused = plane_.admit(head);
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->status, 403);
  head.client_certificate_pem = dev1_;
  EXPECT_EQ(plane_.admit(head).refusal.value().status, 297);
}

TEST_F(DevicePlaneTest, EverythingElseIsTheObjectStores) {
  EXPECT_EQ(send("PUT", "/andon-uploads/dev1/image.jpg", std::nullopt).status, 299);
}

}  // namespace
}  // namespace andon::api
