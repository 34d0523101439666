// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/runtime_request.hpp"

#include <gtest/gtest.h>

namespace andon::functions {
namespace {

using Kind = RuntimeRequest::Kind;

constexpr const char* kId = "0b6a0a52-44a5-4b6a-9f0c-6f0f5b1f6a11";

wire::LocalHttpRequest request(const std::string& method, const std::string& path) {
  return {.method = method, .path = "/2018-06-01/runtime/" + path, .headers = {}, .body = {}};
}

TEST(RuntimeRequest, IsOneOfTheFourOfTheApi) {
  EXPECT_EQ(read_runtime_request(request("GET", "invocation/next")).kind, Kind::next);
  EXPECT_EQ(read_runtime_request(request("POST", "init/error")).kind, Kind::init_error);
  const std::string call = std::string("invocation/") + kId;
  const auto response = read_runtime_request(request("POST", call + "/response"));
  EXPECT_EQ(response.kind, Kind::response);
  EXPECT_EQ(response.id, kId);
  EXPECT_EQ(read_runtime_request(request("POST", call + "/error")).kind, Kind::error);
}

TEST(RuntimeRequest, OthersAreUnknown) {
  const std::string call = std::string("invocation/") + kId;
  for (const auto& [method, path] : std::initializer_list<std::pair<std::string, std::string>>{
           {"POST", "invocation/next"},
           {"GET", call + "/response"},
           {"POST", call},
           {"POST", call + "/"},
           {"POST", "invocation/x/response"},
           {"GET", "init/error"},
           {"POST", call + "/response/more"}}) {
    EXPECT_EQ(read_runtime_request(request(method, path)).kind, Kind::unknown) << path;
  }
  EXPECT_EQ(read_runtime_request({.method = "GET", .path = "/", .headers = {}, .body = {}}).kind,
            Kind::unknown);
}

TEST(RuntimeRequest, AnErrorIsTheRuntimesOwnWhereItIsAnObject) {
  wire::LocalHttpRequest told = request("POST", "init/error");
  told.body = R"({"errorType": "Own", "errorMessage": "m"})";
  EXPECT_EQ(error_payload(told), told.body);
  told.body = "no \xff json";
  told.headers["lambda-runtime-function-error-type"] = "Runtime.Odd";
  EXPECT_EQ(error_payload(told),
            "{\"errorType\":\"Runtime.Odd\",\"errorMessage\":\"no \xef\xbf\xbd json\"}");
  told.headers.clear();
  told.body = "[]";
  EXPECT_EQ(error_payload(told), R"({"errorType":"Unhandled","errorMessage":"[]"})");
}

}  // namespace
}  // namespace andon::functions
