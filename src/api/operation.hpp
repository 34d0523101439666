// SPDX-License-Identifier: Apache-2.0
// The operator API is a table: one row an AWS operation, one function behind it. The same table is
// called over HTTP (router.hpp) and, later, in process by the workflow engine.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "wire/http.hpp"

namespace andon::api {

// Who asks, after the signature was verified.
struct Caller {
  std::string access_key_id;
  std::string principal;   // "operator" or "thing/<name>" for a device's temporary credentials
  std::string account_id;  // 12 digits
  std::string region;      // of the request's credential scope
};

// The input of an operation: members of path, query and body merged into one object, as the AWS
// model names them ("deploymentId", "maxResults"). Path and query values are strings, decoded; a
// query name that comes more than once is an array of strings.
struct OperationContext {
  Caller caller;
  const base::json::object& input;
};

// Which AWS protocol the service speaks; it decides how requests are read and errors written.
enum class Protocol { rest_json, aws_json_1_1 };

struct Operation {
  std::string_view service;  // of the credential scope: "greengrass", "sagemaker", "iot"
  std::string_view name;     // "CreateDeployment"
  Protocol protocol;
  // rest_json only: "POST", "/greengrass/v2/deployments/{deploymentId}/cancel". {name+} takes
  // slashes too.
  std::string_view method;
  std::string_view path;
  int success_status;  // 200, or what the AWS model says (201 for CreateComponentVersion)
  std::function<base::json::value(const OperationContext&)> handler;
};

// An AWS error with its service-specific code ("ConflictException", "ValidationException"). Plain
// base::Error is translated by its code, so throw this only where AWS has a name of its own.
class ServiceError final : public std::exception {
 public:
  ServiceError(int http_status, std::string code, std::string message)
      : http_status_(http_status), code_(std::move(code)), message_(std::move(message)) {}
  [[nodiscard]] int http_status() const { return http_status_; }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  int http_status_;
  std::string code_;
  std::string message_;
};

}  // namespace andon::api
