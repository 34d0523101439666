// SPDX-License-Identifier: Apache-2.0
// The client against a real HTTP server that answers as andon-server does.
#include "cli/terminal/aws_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "wire/http/http_server.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using testing::HasSubstr;

class AwsClientTest : public testing::Test {
 protected:
  AwsClientTest()
      : server_({}, [this](wire::HttpRequest& request) {
          seen_ = request.method + " " + request.target + " " + request.body.read();
          authorization_ = std::string(request.headers.find("Authorization").value_or(""));
          target_ = std::string(request.headers.find("X-Amz-Target").value_or(""));
          wire::HttpResponse answer;
          answer.status = status_;
          for (const auto& [name, value] : headers_.fields()) answer.headers.add(name, value);
          answer.body = body_;
          return answer;
        }) {}

  AwsClient client() {
    return AwsClient({.api_url = "http://127.0.0.1:" + std::to_string(server_.port()),
                      .ca_file = {},
                      .region = "eu-north-1",
                      .credentials = {"AKIATEST", "secret", {}}},
                     clock_);
  }
  Error failure_of(const std::function<void(AwsClient&)>& call) {
    AwsClient aws = client();
    try {
      call(aws);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::internal, "nothing was thrown"};
  }

  base::SystemClock clock_;
  int status_ = 200;
  std::string body_ = "{}";
  wire::Headers headers_;
  std::string seen_;
  std::string authorization_;
  std::string target_;
  wire::HttpServer server_;  // last: its threads use the others
};

TEST_F(AwsClientTest, SignsForTheServiceThatItCalls) {
  body_ = R"({"deploymentId":"d-1"})";
  const auto answer =
      client().rest("greengrass", "POST", "/greengrass/v2/deployments", {{"targetArn", "x"}});
  EXPECT_EQ(answer.at("deploymentId").as_string(), "d-1");
  EXPECT_EQ(seen_, R"(POST /greengrass/v2/deployments {"targetArn":"x"})");
  EXPECT_THAT(authorization_, HasSubstr("Credential=AKIATEST/"));
  EXPECT_THAT(authorization_, HasSubstr("/eu-north-1/greengrass/aws4_request"));
}

TEST_F(AwsClientTest, NamesTheOperationOfAJsonProtocol) {
  (void)client().sagemaker("ListModelPackages", base::json::object());
  EXPECT_EQ(target_, "SageMaker.ListModelPackages");
  (void)client().states("StartExecution", base::json::object());
  EXPECT_EQ(target_, "AWSStepFunctions.StartExecution");
}

TEST_F(AwsClientTest, TurnsAnswersIntoTheErrorThatTheyMean) {
  struct Case {
    int status;
    const char* body;
    ErrorCode code;
    const char* text;
  };
  for (const auto& [status, body, code, text] : {
           Case{400, R"({"__type":"ValidationException","message":"bad name"})",
                ErrorCode::invalid_argument, "ValidationException: bad name"},
           Case{403, R"({"message":"no"})", ErrorCode::permission_denied, "HTTP 403: no"},
           Case{404, R"({"Message":"gone"})", ErrorCode::not_found, "HTTP 404: gone"},
           Case{409, R"({"message":"there","reason":"ALREADY_EXISTS"})", ErrorCode::already_exists,
                "there"},
           Case{409, R"({"message":"busy"})", ErrorCode::conflict, "busy"},
           Case{500, R"({"message":"oh"})", ErrorCode::internal, "oh"},
           Case{503, R"({"message":"later"})", ErrorCode::unavailable, "later"},
           Case{502, "bad gateway", ErrorCode::unavailable, "HTTP 502: bad gateway"},
           Case{403, "<Error><Code>AccessDenied</Code><Message>not yours</Message></Error>",
                ErrorCode::permission_denied, "AccessDenied: not yours"},
       }) {
    status_ = status;
    body_ = body;
    const Error error =
        failure_of([](AwsClient& aws) { (void)aws.rest("iot", "GET", "/things/x"); });
    EXPECT_EQ(error.code(), code) << body;
    EXPECT_THAT(error.message(), HasSubstr(text));
  }
}

TEST_F(AwsClientTest, TakesTheErrorTypeFromItsHeader) {
  status_ = 404;
  headers_.add("x-amzn-errortype", "ResourceNotFoundException");
  body_ = R"({"message":"no such thing"})";
  const Error error = failure_of([](AwsClient& aws) { (void)aws.rest("iot", "GET", "/things/x"); });
  EXPECT_THAT(error.message(), HasSubstr("ResourceNotFoundException: no such thing"));
}

TEST_F(AwsClientTest, ABucketThatIsThereAlreadyIsFineAndAnotherOwnersIsNot) {
  status_ = 409;
  body_ = "<Error><Code>BucketAlreadyOwnedByYou</Code><Message>yours</Message></Error>";
  EXPECT_NO_THROW(client().create_bucket("models"));
  body_ = "<Error><Code>BucketAlreadyExists</Code><Message>not yours</Message></Error>";
  EXPECT_EQ(failure_of([](AwsClient& aws) { aws.create_bucket("models"); }).code(),
            ErrorCode::conflict);
}

TEST_F(AwsClientTest, PutsAFileWithItsDigestAndSaysHowFarItIs) {
  const base::TemporaryDirectory directory;
  const base::fs::path file = directory.path() / "model.onnx";
  base::write_file_atomically(file, "0123456789");
  std::uint64_t last = 0;
  client().put_object("models", "a b/1.onnx", file,
                      [&](std::uint64_t sent, std::uint64_t) { last = sent; });
  EXPECT_EQ(seen_, "PUT /models/a%20b/1.onnx 0123456789");
  EXPECT_EQ(last, 10U);
}

TEST(ReadConnection, SaysThatNoServerRunsThere) {
  const base::TemporaryDirectory directory;
  try {
    (void)read_connection(directory.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("no andon-server runs"));
    EXPECT_THAT(error.message(), HasSubstr("andon-server run --data"));
  }
}

TEST(ReadConnection, IsWhatTheServerAnnounced) {
  const base::TemporaryDirectory directory;
  base::make_directories(directory.path() / "credentials");
  base::write_file_atomically(directory.path() / "server.json",
                              R"({"api":"http://127.0.0.1:8080"})");
  base::write_file_atomically(
      directory.path() / "credentials" / "operator.json",
      R"({"accessKeyId":"AKIA1","secretAccessKey":"s","region":"us-east-1"})");
  const Connection connection = read_connection(directory.path());
  EXPECT_EQ(connection.api_url, "http://127.0.0.1:8080");
  EXPECT_EQ(connection.region, "us-east-1");
  EXPECT_EQ(connection.credentials.access_key_id, "AKIA1");
}

}  // namespace
}  // namespace andon::cli
