// SPDX-License-Identifier: Apache-2.0
// The data plane's client against a server that answers as the test says, over TLS with the
// device's certificate.
#include "edge/cloud/data_plane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "edge/state/deployment_failure.hpp"
#include "trust/keys/certificate.hpp"
#include "wire/http/http_server.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;
using Texts = std::vector<std::string>;

const std::string kRecipe =
    R"({"RecipeFormatVersion":"2020-01-25","ComponentName":"app","ComponentVersion":"1.2.0",)"
    R"("Manifests":[{"Platform":{"os":"linux"},"Lifecycle":{"run":"true"}}]})";

std::string candidate(const std::string& recipe) {
  return R"({"resolvedComponentVersions":[{"arn":"arn:1","componentName":"app",)"
         R"("componentVersion":"1.2.0","recipe":")" +
         base::to_base64(recipe) + R"("}]})";
}

class DataPlaneTest : public testing::Test {
 protected:
  struct Answer {
    int status = 200;
    std::string body;
  };

  DataPlaneTest() {
    layout_.make();
    const base::Timestamp now = base::SystemClock().now();
    const auto authority = trust::make_certificate_authority("test CA", now - std::chrono::hours{1},
                                                             std::chrono::days{10});
    const auto sign = [&](const std::string& key, const std::string& name,
                          trust::CertificateUse use) {
      trust::CertificateRequest request;
      request.common_name = name;
      request.use = use;
      request.not_before = now - std::chrono::hours{1};
      if (use == trust::CertificateUse::server) request.ip_addresses = {"127.0.0.1"};
      return trust::sign_csr(authority, trust::make_csr(key, name), request);
    };
    const std::string server_key = trust::make_private_key();
    const std::string device_key = trust::make_private_key();
    base::write_file_atomically(ca_file(layout_), authority.certificate_pem);
    base::write_file_atomically(private_key_file(layout_), device_key);
    base::write_file_atomically(certificate_file(layout_),
                                sign(device_key, "dev1", trust::CertificateUse::client));
    wire::HttpServerOptions options;
    options.tls = wire::TlsServerOptions{sign(server_key, "server", trust::CertificateUse::server),
                                         server_key, authority.certificate_pem};
    server_ = std::make_unique<wire::HttpServer>(
        options, [this](wire::HttpRequest& request) { return answer(request); });
    device_.thing_name = "dev1";
    device_.data_plane = {"127.0.0.1", server_->port()};
    device_.mqtt = {"127.0.0.1", 1};
  }

  wire::HttpResponse answer(wire::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request.method + ' ' + request.target);
    wire::HttpResponse response;
    const Answer next = answers_.size() > 1 ? answers_.front() : answers_.at(0);
    if (answers_.size() > 1) answers_.erase(answers_.begin());
    response.status = next.status;
    response.body = next.body;
    return response;
  }

  void answers(std::vector<Answer> all) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(all);
  }
  Texts asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  DataPlane data_plane() const { return {device_, layout_}; }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path()};
  DeviceConfig device_;
  std::mutex mutex_;
  std::vector<Answer> answers_;
  Texts asked_;
  std::unique_ptr<wire::HttpServer> server_;
};

TEST_F(DataPlaneTest, GroupsComeWithTheirParentsOverAllPages) {
  answers({{200, R"({"thingGroups":[{"thingGroupName":"A","rootToParentThingGroups":)"
                 R"([{"thingGroupName":"Top"}]}],"nextToken":"p 2"})"},
           {200, R"({"thingGroups":[{"thingGroupName":"B"}]})"}});
  EXPECT_EQ(data_plane().thing_groups(), (Texts{"A", "Top", "B"}));
  EXPECT_EQ(asked(), (Texts{"GET /greengrass/v2/coreDevices/dev1/thingGroups",
                            "GET /greengrass/v2/coreDevices/dev1/thingGroups?nextToken=p%202"}));
}

TEST_F(DataPlaneTest, GroupsThatTheServerDoesNotTellAreNotNone) {
  answers({{403, "{}"}});
  EXPECT_EQ(data_plane().thing_groups(), std::nullopt);
  answers({{200, "{}"}});
  EXPECT_EQ(data_plane().thing_groups(), Texts{});
}

TEST_F(DataPlaneTest, AListThatDoesNotEndIsGivenUp) {
  answers({{200, R"({"thingGroups":[],"nextToken":"again"})"}});
  EXPECT_THROW(static_cast<void>(data_plane().thing_groups()), base::Error);
  EXPECT_EQ(asked().size(), 100U);
}

TEST_F(DataPlaneTest, WhatMayPassIsUnavailableAndWhatDoesNotHasACode) {
  const auto code_of = [&](int status) -> std::string {
    answers({{status, R"({"message":"because"})"}});
    try {
      static_cast<void>(data_plane().artifact_url("arn:1", "model.bin"));
    } catch (const DeploymentFailure& failure) {
      EXPECT_NE(failure.message().find("because"), std::string::npos) << failure.message();
      EXPECT_NE(failure.message().find("model.bin"), std::string::npos) << failure.message();
      const bool may_pass = failure.code() == ErrorCode::unavailable;
      return (may_pass ? "later: " : "") + failure.codes().back();
    }
    return "none";
  };
  for (const int status : {408, 500, 503}) {
    EXPECT_EQ(code_of(status), "later: SERVER_ERROR") << status;
  }
  EXPECT_EQ(code_of(429), "later: THROTTLING_ERROR");
  EXPECT_EQ(code_of(403), "GET_COMPONENT_VERSION_ARTIFACT_ACCESS_DENIED");
  EXPECT_EQ(code_of(404), "RESOURCE_NOT_FOUND");
  EXPECT_EQ(code_of(400), "BAD_REQUEST");
}

TEST_F(DataPlaneTest, AnAddressHasItsPartsEscaped) {
  answers({{200, R"({"preSignedUrl":"https://x/y"})"}});
  EXPECT_EQ(data_plane().artifact_url("arn:a/b", "dir/model v1.bin"), "https://x/y");
  EXPECT_EQ(asked().at(0),
            "GET /greengrass/v2/components/arn%3Aa%2Fb/artifacts/dir%2Fmodel%20v1.bin");
}

TEST_F(DataPlaneTest, AComponentIsResolvedOrIsNotThere) {
  answers({{200, candidate(kRecipe)}});
  const auto found = data_plane().resolve("app", {{"thing/dev1", "^1.0.0"}}, "1.0.0");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->arn, "arn:1");
  EXPECT_EQ(found->recipe_text, kRecipe);
  answers({{404, R"({"message":"no such component"})"}});
  EXPECT_FALSE(data_plane().resolve("app", {}, std::nullopt));
}

TEST_F(DataPlaneTest, CredentialsAreReadAsTheyAreServed) {
  answers({{200, R"({"credentials":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T",)"
                 R"("expiration":"2030-01-01T00:00:00Z"}})"}});
  const fleet::TemporaryCredentials got = data_plane().credentials("andon");
  EXPECT_EQ(got.access_key_id + got.secret_access_key + got.session_token, "AST");
  EXPECT_EQ(got.expiration, "2030-01-01T00:00:00Z");
  answers({{200, R"({"credentials":{}})"}});
  EXPECT_THROW(static_cast<void>(data_plane().credentials("andon")), base::Error);
}

wire::IncomingResponse answer(int status, std::string body) {
  wire::IncomingResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

TEST(Resolution, NoVersionIsNothingAndNoManifestForThisPlatformIsAFailureByTheReasonOnly) {
  const std::string prose = R"("message":"A 1.0.0 does not claim platform compatibility with x")";
  EXPECT_FALSE(read_resolution(answer(404, R"({"message":"no usable version"})"), "A"));
  EXPECT_FALSE(read_resolution(answer(404, "{" + prose + "}"), "A"));
  EXPECT_FALSE(read_resolution(answer(404, "not JSON"), "A"));
  try {
    (void)read_resolution(answer(404, R"({"reason":"PLATFORM_NOT_SUPPORTED",)" + prose + "}"), "A");
    FAIL() << "was taken";
  } catch (const DeploymentFailure& failure) {
    const FailureReport report = report_of(failure);
    EXPECT_THAT(report.error_stack, testing::Contains("NO_AVAILABLE_COMPONENT_VERSION"));
    EXPECT_THAT(report.cause, testing::HasSubstr("does not claim platform"));
  }
}

TEST(Resolution, WhatMayPassIsUnavailableAndWhatTheServerRefusesIsAFailure) {
  for (const int status : {408, 429, 500, 503}) {
    try {
      (void)read_resolution(answer(status, "{}"), "A");
      FAIL() << status;
    } catch (const DeploymentFailure& failure) {
      EXPECT_EQ(failure.code(), base::ErrorCode::unavailable);  // it is tried again
      EXPECT_EQ(failure.codes().back(), status == 429 ? "THROTTLING_ERROR" : "SERVER_ERROR");
    }
  }
  EXPECT_THROW((void)read_resolution(answer(403, "{}"), "A"), DeploymentFailure);
  EXPECT_THROW((void)read_resolution(answer(200, "{}"), "A"), DeploymentFailure);
}

TEST(ParseCandidate, NamesTheComponentWhereTheAnswerCannotBeUsed) {
  for (const std::string& body :
       {std::string("x"), std::string("{}"), std::string(R"({"resolvedComponentVersions":[]})"),
        std::string(R"({"resolvedComponentVersions":[{"arn":"a","recipe":"?"}]})"),
        candidate("no recipe")}) {
    try {
      static_cast<void>(parse_candidate(body, "app"));
      ADD_FAILURE() << body;
    } catch (const DeploymentFailure& failure) {
      EXPECT_NE(failure.message().find("component app"), std::string::npos) << failure.message();
      EXPECT_EQ(failure.codes().back(), body == candidate("no recipe")
                                            ? "RECIPE_PARSE_ERROR"
                                            : "RESOLVE_COMPONENT_CANDIDATES_BAD_RESPONSE");
    }
  }
}

}  // namespace
}  // namespace andon::edge
