// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/http_exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/tasks/integration.hpp"

namespace andon::api {
namespace {

using control::Authorization;
using control::AuthorizationType;
using testing::HasSubstr;
using testing::Not;
using workflow::TaskFailure;

json::value parsed(std::string_view text) {
  return base::parse_json(text, "the test's JSON");
}

Authorization basic() {
  return {.type = AuthorizationType::basic, .name = "user", .secret = "geheim!!"};
}

wire::OutgoingRequest request(std::string_view parameters, const Authorization& authorization) {
  return http_request(parsed(parameters), authorization, AllowedHosts({"h", "http://plain:81"}),
                      "eu-central-1");
}

template <typename Call>
TaskFailure failure(const Call& call) {
  try {
    call();
  } catch (const TaskFailure& failure) {
    return failure;
  }
  ADD_FAILURE() << "it did not fail";
  return {"", ""};
}

std::string header(const wire::OutgoingRequest& request, std::string_view name) {
  return std::string(request.headers.find(name).value_or("(none)"));
}

TEST(HttpExchangeTest, ARequestHasWhatStateAndConnectionSayAndTheConnectionWins) {
  Authorization authorization = basic();
  authorization.headers = {{"Header-Param", "connection"}};
  authorization.query = {{"QueryParam", "from connection"}};
  authorization.body = {{"BodyParam", "connection"}};
  const auto made = request(R"({"ApiEndpoint": "https://h/path", "Method": "POST",
      "Authentication": {"ConnectionArn": "x"},
      "Headers": {"Request-Id": "1", "header-param": "state", "Many": ["a", 2]},
      "QueryParameters": {"QueryParam": "state", "n": 5, "list": ["a", "b&c"]},
      "RequestBody": {"Job": "Engineer", "BodyParam": "state"}})",
                            authorization);
  EXPECT_EQ(made.url, "https://h/path?n=5&list=a&list=b%26c&QueryParam=from%20connection");
  EXPECT_EQ(made.body, R"({"Job":"Engineer","BodyParam":"connection"})");
  EXPECT_EQ(header(made, "Header-Param"), "connection");
  EXPECT_EQ(header(made, "Request-Id"), "1");
  EXPECT_EQ(header(made, "Authorization"), "Basic dXNlcjpnZWhlaW0hIQ==");
  EXPECT_EQ(header(made, "User-Agent"), "Amazon|StepFunctions|HttpInvoke|eu-central-1");
  EXPECT_EQ(header(made, "Range"), "bytes=0-262144");
  EXPECT_EQ(header(made, "Content-Type"), "application/json; charset=UTF-8");
  const auto key = request(R"({"ApiEndpoint": "http://plain:81/a?b=1", "Method": "GET",
                               "QueryParameters": {"c": "2"}})",
                           {.type = AuthorizationType::api_key, .name = "X-Key", .secret = "k"});
  EXPECT_EQ(key.url, "http://plain:81/a?b=1&c=2");
  EXPECT_EQ(header(key, "X-Key"), "k");
  EXPECT_EQ(header(key, "Authorization"), "(none)");
  EXPECT_EQ(key.body, "");
}

TEST(HttpExchangeTest, ABodyIsEncodedAsTheTransformSays) {
  const auto body = json::object(
      parsed(R"({"a": ["x", "y z"], "m": {"k": true, "l": {"n": 1.5}}, "e": null})").as_object());
  EXPECT_EQ(form_encoded(body, "INDICES"),
            "a%5B0%5D=x&a%5B1%5D=y%20z&m%5Bk%5D=true&m%5Bl%5D%5Bn%5D=1.5&e=");
  EXPECT_EQ(form_encoded(body, "REPEAT"), "a=x&a=y%20z&m%5Bk%5D=true&m%5Bl%5D%5Bn%5D=1.5&e=");
  EXPECT_EQ(form_encoded(body, "COMMAS"), "a=x,y%20z&m%5Bk%5D=true&m%5Bl%5D%5Bn%5D=1.5&e=");
  EXPECT_EQ(form_encoded(body, "BRACKETS"),
            "a%5B%5D=x&a%5B%5D=y%20z&m%5Bk%5D=true&m%5Bl%5D%5Bn%5D=1.5&e=");
  const auto made = request(R"({"ApiEndpoint": "https://h/", "Method": "POST",
      "RequestBody": {"a": [1]}, "Transform": {"RequestBodyEncoding": "URL_ENCODED",
      "RequestEncodingOptions": {"ArrayFormat": "REPEAT"}}})",
                            basic());
  EXPECT_EQ(made.body, "a=1");
  EXPECT_EQ(header(made, "Content-Type"), "application/x-www-form-urlencoded");
  const auto text = request(
      R"({"ApiEndpoint": "https://h/", "Method": "PUT", "RequestBody": "as it is"})", basic());
  EXPECT_EQ(text.body, "as it is");
}

TEST(HttpExchangeTest, WhatMayNotBeSentIsRefusedByName) {
  const struct {
    const char* parameters;
    const char* error;
    const char* says;
  } cases[] = {
      {R"([])", "States.Runtime", "must be an object"},
      {R"({"Method": "GET"})", "States.Runtime", "ApiEndpoint"},
      {R"({"ApiEndpoint": "https://h/"})", "States.Runtime", "Method"},
      {R"({"ApiEndpoint": "https://h/", "Method": "TRACE"})", "States.Runtime", "Method must be"},
      {R"({"ApiEndpoint": "h", "Method": "GET"})", "States.Runtime", "no URL"},
      {R"({"ApiEndpoint": "https://a@h/", "Method": "GET"})", "States.Runtime", "no URL"},
      {R"({"ApiEndpoint": "https://other/", "Method": "GET"})", "States.Permissions",
       "may not call https://other:443"},
      {R"({"ApiEndpoint": "http://h/", "Method": "GET"})", "States.Permissions", "--http-allow"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "More": 1})", "States.Runtime", "'More'"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "Headers": {"Authorization": "x"}})",
       "States.Runtime", "'Authorization' may not be set"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "Headers": {"X-Amz-Date": "x"}})",
       "States.Runtime", "'X-Amz-Date' may not be set"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "Headers": {"HOST": "x"}})",
       "States.Runtime", "'HOST' may not be set"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "Headers": {"A": "x\r\nB: y"}})",
       "States.Runtime", "control character"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "Headers": {"A B": "x"}})",
       "States.Runtime", "is no name"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "Headers": {"A": {"b": 1}}})",
       "States.Runtime", "Headers: 'A' must be"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "RequestBody": [1],
           "Transform": {"RequestBodyEncoding": "URL_ENCODED"}})",
       "States.Runtime", "RequestBody must be an object"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET",
           "Transform": {"RequestBodyEncoding": "GZIP"}})",
       "States.Runtime", "RequestBodyEncoding must be"},
      {R"({"ApiEndpoint": "https://h/", "Method": "GET", "RequestBody": {"a": [{"b": 1}]},
           "Transform": {"RequestBodyEncoding": "URL_ENCODED",
                         "RequestEncodingOptions": {"ArrayFormat": "COMMAS"}}})",
       "States.Runtime", "with COMMAS"},
  };
  for (const auto& one : cases) {
    const TaskFailure told = failure([&] { (void)request(one.parameters, basic()); });
    EXPECT_EQ(told.error(), one.error) << one.parameters;
    EXPECT_THAT(told.cause(), HasSubstr(one.says));
    EXPECT_THAT(told.cause(), Not(HasSubstr("geheim")));
  }
  Authorization with_body = basic();
  with_body.body = {{"a", "b"}};
  const auto both = failure([&] {
    (void)request(R"({"ApiEndpoint": "https://h/", "Method": "PUT", "RequestBody": "text"})",
                  with_body);
  });
  EXPECT_EQ(both.error(), "States.Runtime");
  const auto none = failure([&] {
    (void)http_request(parsed(R"({"ApiEndpoint": "https://h/", "Method": "GET"})"), basic(),
                       AllowedHosts(), "r");
  });
  EXPECT_THAT(none.cause(), HasSubstr("may call no host yet"));
}

TEST(HttpExchangeTest, TheConnectionIsNamedOnce) {
  EXPECT_EQ(connection_arn_of(parsed(R"({"Authentication": {"ConnectionArn": "a"}})")), "a");
  EXPECT_EQ(connection_arn_of(parsed(R"({"InvocationConfig": {"ConnectionArn": "b"}})")), "b");
  for (const char* bad : {"{}", R"({"Authentication": {}})", R"({"Authentication": 1})",
                          R"({"Authentication": {"ConnectionArn": "a"},
                              "InvocationConfig": {"ConnectionArn": "a"}})"}) {
    EXPECT_EQ(failure([&] { (void)connection_arn_of(parsed(bad)); }).error(), "States.Runtime");
  }
}

wire::IncomingResponse response(int status, const std::string& type, const std::string& body) {
  wire::IncomingResponse made{.status = status, .headers = {}, .body = body};
  if (!type.empty()) made.headers.add("Content-Type", type);
  return made;
}

TEST(HttpExchangeTest, AResponseIsTheResultOfItsState) {
  auto given = response(200, "application/json; charset=utf-8", R"({"a": [1]})");
  given.headers.add("X-Many", "1");
  given.headers.add("x-many", "2");
  EXPECT_EQ(base::to_text(http_result(given, basic())),
            R"({"Headers":{"content-type":["application/json; charset=utf-8"],)"
            R"("x-many":["1","2"]},"ResponseBody":{"a":[1]},"StatusCode":200,"StatusText":"OK"})");
  EXPECT_EQ(http_result(response(201, "text/plain", "hi"), basic()).at("ResponseBody"), "hi");
  EXPECT_EQ(http_result(response(204, "", ""), basic()).at("ResponseBody"), "");
  EXPECT_EQ(http_result(response(200, "application/json", "{cut"), basic()).at("ResponseBody"),
            "{cut");
}

TEST(HttpExchangeTest, AResponseThatIsNoSuccessOrNoTextFailsByName) {
  const auto told = [](int status, const std::string& type, const std::string& body) {
    return failure([&] { (void)http_result(response(status, type, body), basic()); });
  };
  EXPECT_EQ(told(404, "text/plain", "no such part").error(), "States.Http.StatusCode.404");
  EXPECT_EQ(told(404, "text/plain", "no such part").cause(), "no such part");
  EXPECT_EQ(told(503, "", "").cause(), "Service Unavailable");
  EXPECT_EQ(told(301, "", "").error(), "States.Http.StatusCode.301");
  EXPECT_EQ(told(500, "", std::string(100'000, 'x')).cause().size(), 32'768U);
  EXPECT_EQ(told(200, "image/png", "x").error(), "States.Runtime");
  EXPECT_EQ(told(200, "application/octet-stream", "x").error(), "States.Runtime");
  EXPECT_EQ(told(200, "text/plain", "\xFF\xFE").error(), "States.Runtime");
}

TEST(HttpExchangeTest, WhatTheOtherSideRepeatsOfTheConnectionIsHidden) {
  Authorization authorization = basic();
  authorization.query = {{"token", "querysecret", true}, {"page", "notsecret", false}};
  auto given = response(200, "application/json",
                        R"({"got": "Basic dXNlcjpnZWhlaW0hIQ== geheim!! querysecret notsecret"})");
  given.headers.add("Echo", "geheim!!");
  const std::string text = base::to_text(http_result(given, authorization));
  EXPECT_THAT(text, HasSubstr("Basic *** *** *** notsecret"));
  EXPECT_THAT(text, Not(HasSubstr("geheim")));
  const auto failed =
      failure([&] { (void)http_result(response(401, "", "bad geheim!!"), authorization); });
  EXPECT_EQ(failed.cause(), "bad ***");
}

}  // namespace
}  // namespace andon::api
