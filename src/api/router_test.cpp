// SPDX-License-Identifier: Apache-2.0
#include "api/router.hpp"

#include <gmock/gmock.h>

#include "api/testing/signed_request.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
namespace json = base::json;

// Gives its input back, with its own name added.
Operation echo(std::string_view service, std::string_view name, Protocol protocol,
               std::string_view method = "", std::string_view path = "", int status = 200) {
  return {service, name, protocol, method, path, status, [name](const OperationContext& context) {
            json::object output = context.input;
            output["operation"] = name;
            return json::value(std::move(output));
          }};
}

Operation failing(std::string_view service, Protocol protocol, std::string_view path) {
  return {service,
          "Fail",
          protocol,
          "POST",
          path,
          200,
          [](const OperationContext& context) -> json::value {
            const auto kind = context.input.at("kind").as_string();
            if (kind == "not_found") throw base::Error(base::ErrorCode::not_found, "no such thing");
            if (kind == "already_exists") {
              throw base::Error(base::ErrorCode::already_exists, "there is one");
            }
            if (kind == "service") throw ServiceError(409, "ConflictException", "in the way");
            if (kind == "internal") throw base::Error(base::ErrorCode::internal, "secret detail");
            throw std::runtime_error("secret detail");
          }};
}

Operation with_header(Operation operation) {
  operation.headers = {{"x-amzn-principal", "principal"}};
  return operation;
}

class RouterTest : public ApiTest {
 protected:
  [[nodiscard]] wire::HttpResponse send(const RequestForTest& request) const {
    return router.handle(signed_request(request, operator_key, clock.now()));
  }

  Router router{
      {echo("greengrass", "CreateThing", Protocol::rest_json, "POST", "/v2/things", 201),
       echo("greengrass", "GetThing", Protocol::rest_json, "GET", "/v2/things/{name}"),
       echo("greengrass", "GetLatest", Protocol::rest_json, "GET", "/v2/things/latest"),
       echo("greengrass", "ListParts", Protocol::rest_json, "GET", "/v2/things/{name}/parts"),
       with_header(echo("greengrass", "Attach", Protocol::rest_json, "PUT", "/v2/principals")),
       echo("greengrass", "GetFile", Protocol::rest_json, "GET", "/v2/files/{path+}"),
       failing("greengrass", Protocol::rest_json, "/v2/fail"),
       echo("sagemaker", "CreateModel", Protocol::aws_json_1_1),
       failing("sagemaker", Protocol::aws_json_1_1, "/")},
      s3,
      authenticator,
      {.not_ready_because = [this] { return not_ready; },
       .ca_pem = "the CA's certificate",
       .max_body_bytes = 1000,
       .check_members = [](auto, auto, const json::object& input) { check(input); }}};
  // As the table does: one member that nothing honours.
  static void check(const json::object& input) {
    if (input.contains("colour")) {
      throw base::Error(base::ErrorCode::unsupported, "colour: this server does not support it");
    }
  }
  std::string not_ready;
};

TEST_F(RouterTest, RefusesMembersAndHeadersThatAreNotHonouredByName) {
  const auto message = [&](const std::string& target, wire::Headers headers) {
    const auto response =
        send({.target = target, .headers = std::move(headers), .service = "greengrass"});
    return std::to_string(response.status) + " " + text_of(response);
  };
  EXPECT_THAT(message("/v2/things/a?colour=red", {}), HasSubstr("400 {\"message\":\"colour: "));
  EXPECT_THAT(message("/v2/things/a", {{"x-amz-s3-endpoint-type", "REGIONAL"}}),
              HasSubstr("400 {\"message\":\"x-amz-s3-endpoint-type: "));
  EXPECT_THAT(message("/v2/things/a", {{"x-amz-user-agent", "sdk"}}), HasSubstr("200 "));
}

TEST_F(RouterTest, MergesPathQueryAndBody) {
  const auto response = send({.method = "POST",
                              .target = "/v2/things?dry=true&tag=a&tag=b%20c",
                              .body = R"({"name": "x", "dry": "no"})",
                              .service = "greengrass"});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(text_of(response),
            R"({"name":"x","dry":"true","tag":["a","b c"],"operation":"CreateThing"})");
  EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(response, "x-amzn-requestid").size(), 36U);
}

TEST_F(RouterTest, AdmitsAHeadThatLeavesTheBodysDigestToItsSignature) {
  // As botocore signs for every service but S3: the digest of the body stands nowhere in the head.
  wire::HttpRequest head = signed_request({.method = "POST",
                                           .target = "/v2/things",
                                           .body = R"({"name": "x"})",
                                           .service = "greengrass"},
                                          operator_key, clock.now());
  head.body = wire::Body();
  EXPECT_FALSE(router.admit(head).refusal);
  head.headers.remove("X-Amz-Content-Sha256");
  std::string authorization(*head.headers.find("Authorization"));
  const std::string_view signed_digest = ";x-amz-content-sha256";
  authorization.erase(authorization.find(signed_digest), signed_digest.size());
  head.headers.set("Authorization", authorization);
  EXPECT_FALSE(router.admit(head).refusal);
  keys.disable(operator_key.id);
  ASSERT_TRUE(router.admit(head).refusal);
  EXPECT_EQ(router.admit(head).refusal->status, 403);
}

TEST_F(RouterTest, FindsTheOperationByItsPath) {
  const struct {
    const char* target;
    const char* expected;
  } rows[] = {
      {"/v2/things/a%3Ab%2Fc", R"({"name":"a:b/c","operation":"GetThing"})"},
      {"/v2/things/a/", R"({"name":"a","operation":"GetThing"})"},
      {"/v2/things/latest", R"({"operation":"GetLatest"})"},
      {"/v2/things/latest/parts", R"({"name":"latest","operation":"ListParts"})"},
      {"/v2/files/a/b/c%20d", R"({"path":"a/b/c d","operation":"GetFile"})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(text_of(send({.target = row.target, .service = "greengrass"})), row.expected);
  }
  for (const char* target : {"/v2/things", "/v2/things/a/b", "/v2", "/", "/v2/things//parts"}) {
    const auto response = send({.target = target, .service = "greengrass"});
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(header_of(response, "x-amzn-errortype"), "UnknownOperationException");
  }
  EXPECT_EQ(send({.target = "/", .service = "nonsense"}).status, 404);
}

TEST_F(RouterTest, FindsTheOperationByItsTarget) {
  const auto send_target = [&](const std::string& target) {
    return send({.method = "POST",
                 .body = "{\"a\": 1}",
                 .headers = {{"X-Amz-Target", target}},
                 .service = "sagemaker"});
  };
  const auto response = send_target("SageMaker.CreateModel");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(text_of(response), R"({"a":1,"operation":"CreateModel"})");
  EXPECT_EQ(header_of(response, "Content-Type"), "application/x-amz-json-1.1");
  const auto unknown = send_target("SageMaker.Nothing");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(text_of(unknown), HasSubstr(R"("__type":"UnknownOperationException")"));
}

TEST_F(RouterTest, WordsErrorsAsTheServiceDoes) {
  const auto fail = [&](const std::string& service, const std::string& kind) {
    return send({.method = "POST",
                 .target = service == "greengrass" ? "/v2/fail" : "/",
                 .body = "{\"kind\": \"" + kind + "\"}",
                 .headers = {{"X-Amz-Target", "SageMaker.Fail"}},
                 .service = service});
  };
  EXPECT_EQ(fail("greengrass", "not_found").status, 404);
  EXPECT_EQ(header_of(fail("greengrass", "not_found"), "x-amzn-errortype"),
            "ResourceNotFoundException");
  EXPECT_EQ(text_of(fail("greengrass", "not_found")), R"({"message":"no such thing"})");
  EXPECT_EQ(fail("greengrass", "service").status, 409);
  EXPECT_EQ(fail("sagemaker", "not_found").status, 400);
  EXPECT_THAT(text_of(fail("sagemaker", "not_found")),
              HasSubstr(R"("__type":"ValidationException")"));
  EXPECT_THAT(text_of(fail("sagemaker", "not_found")), testing::Not(HasSubstr("reason")));
  EXPECT_THAT(text_of(fail("sagemaker", "already_exists")),
              HasSubstr(R"("reason":"ALREADY_EXISTS")"));
  for (const char* kind : {"internal", "other"}) {
    const auto response = fail("greengrass", kind);
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(text_of(response), testing::Not(HasSubstr("secret")));
    EXPECT_THAT(text_of(response), HasSubstr(header_of(response, "x-amzn-requestid")));
  }
}

TEST_F(RouterTest, RefusesBodiesThatAreNoInput) {
  const auto post = [&](const std::string& body) {
    return send({.method = "POST", .target = "/v2/things", .body = body, .service = "greengrass"});
  };
  for (const char* body : {"{", "[]", "1", "\xff", "{\"a\":1}x"}) {
    EXPECT_EQ(header_of(post(body), "x-amzn-errortype"), "SerializationException") << body;
  }
  EXPECT_EQ(post("").status, 201);
  EXPECT_EQ(post(std::string(1001, ' ')).status, 413);
}

TEST_F(RouterTest, RefusesWhoIsNotTheOperator) {
  const auto code = [&](const wire::HttpRequest& request) {
    const auto response = router.handle(request);
    EXPECT_EQ(response.status, 403);
    return header_of(response, "x-amzn-errortype");
  };
  const RequestForTest get{.target = "/v2/things/a", .service = "greengrass"};
  const auto device = keys.create_temporary("thing/line-1", std::chrono::hours(1));
  control::AccessKey wrong = operator_key;
  wrong.secret = "wrong";
  control::AccessKey unknown = operator_key;
  unknown.id = "AKIA";
  EXPECT_EQ(code(received(get, {{"Host", "h"}})), "MissingAuthenticationTokenException");
  EXPECT_EQ(code(received({.method = "POST"}, {{"Host", "h"}, {"X-Amz-Target", "SageMaker.X"}})),
            "MissingAuthenticationTokenException");
  EXPECT_EQ(code(signed_request(get, wrong, clock.now())), "InvalidSignatureException");
  EXPECT_EQ(code(signed_request(get, unknown, clock.now())), "UnrecognizedClientException");
  EXPECT_EQ(code(signed_request(get, device, clock.now())), "AccessDeniedException");
  wire::HttpRequest changed = signed_request(
      {.method = "POST", .target = "/v2/things", .body = "{}", .service = "greengrass"},
      operator_key, clock.now());
  changed.body = wire::Body("{\"a\":1}");
  EXPECT_EQ(code(changed), "InvalidSignatureException");
  EXPECT_THAT(text_of(router.handle(received({}, {{"Host", "h"}}))),
              HasSubstr("<Code>AccessDenied</Code>"));
}

TEST_F(RouterTest, TakesAMemberFromAHeaderThatIsSigned) {
  const RequestForTest put{.method = "PUT",
                           .target = "/v2/principals?principal=query",
                           .headers = {{"x-amzn-principal", "p1"}},
                           .service = "greengrass"};
  EXPECT_THAT(text_of(send(put)), HasSubstr(R"("principal":"p1")"));
  wire::HttpRequest added =
      signed_request({.method = "PUT", .target = "/v2/principals", .service = "greengrass"},
                     operator_key, clock.now());
  added.headers.add("x-amzn-principal", "somebody else's");
  const auto response = router.handle(added);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(header_of(response, "x-amzn-errortype"), "InvalidSignatureException");
}

TEST_F(RouterTest, AnswersHealthWithoutASignature) {
  EXPECT_EQ(router.handle(received({.target = "/healthz"}, {})).status, 200);
  EXPECT_EQ(router.handle(received({.target = "/readyz"}, {})).status, 200);
  const auto ca = router.handle(received({.target = "/andon/v1/ca.pem"}, {}));
  EXPECT_EQ(std::get<std::string>(ca.body), "the CA's certificate");
  not_ready = "the broker is starting";
  const auto response = router.handle(received({.target = "/readyz"}, {}));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(text_of(response), "the broker is starting\n");
}

TEST_F(RouterTest, GivesS3ItsOwnRequests) {
  EXPECT_THAT(text_of(send({.target = "/"})), HasSubstr("ListAllMyBucketsResult"));
}

TEST(Router, RefusesATableWithTheSameOperationTwice) {
  base::TemporaryDirectory directory;
  const base::SystemClock clock;
  const auto database = store::open_sqlite(directory.path() / "andon.db");
  store::ObjectStore objects(*database, directory.path() / "objects", clock);
  const control::AccessKeys keys(*database, clock);
  const Authenticator authenticator(keys, clock);
  S3Service s3(objects, authenticator, clock, {});
  const auto row = [] { return echo("sagemaker", "A", Protocol::aws_json_1_1); };
  EXPECT_THROW(Router({row(), row()}, s3, authenticator), base::Error);
}

}  // namespace
}  // namespace andon::api
