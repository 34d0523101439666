// SPDX-License-Identifier: Apache-2.0
// The operator API is a table: one row an AWS operation, one function behind it. The same table is
// called over HTTP (router.hpp) and in process by the workflow engine.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// Who has not signed; only the policy of a bucket lets them in.
inline constexpr std::string_view kAnonymousPrincipal = "anonymous";

// Who asks, after the signature was verified.
struct Caller {
  std::string access_key_id;
  std::string principal;            // "operator", "user/<id>" ... (control/iam/principals.hpp)
  std::string account_id;           // 12 digits
  std::string region;               // of the request's credential scope
  std::string session_policy = {};  // of temporary credentials: allows no more than this document
  std::optional<base::Timestamp> token_issued = {};  // of temporary credentials
  std::string source_ip = {};                        // where the request came from
  std::string user_agent = {};
  bool is_secure = false;        // by TLS
  std::string certificate = {};  // id of the device's certificate that the key was given for
};

// The input of an operation: members of path, query and body merged into one object, as the AWS
// model names them ("deploymentId", "maxResults"). Path and query values are strings, decoded; a
// query name that comes more than once is an array of strings.
struct OperationContext {
  Caller caller;
  const base::json::object& input;
};

// Which AWS protocol the service speaks; it decides how requests are read and errors written.
// `query` is the one of IAM and STS: a form that names the operation, answered in XML.
enum class Protocol { rest_json, aws_json_1_0, aws_json_1_1, query };
// Is the operation named by the header X-Amz-Target?
[[nodiscard]] constexpr bool has_target(Protocol protocol) {
  return protocol == Protocol::aws_json_1_0 || protocol == Protocol::aws_json_1_1;
}

// How an operation that waits answers: once, from any thread, perhaps before it returns. Copies
// answer the same call; where the last one goes without an answer, the caller gets an error.
class Answer {
 public:
  using Deliver = std::function<void(base::json::value output, std::exception_ptr error)>;
  explicit Answer(Deliver deliver);

  void succeed(base::json::value output) const;
  void fail(std::exception_ptr error) const;
  // Where nobody waits any more `work` is called, if the way by which the call came can tell. It
  // must not block.
  void when_gone(std::function<void()> work) const;
  // For the way by which the call came.
  void set_when_gone(std::function<void(std::function<void()>)> watch) const;

 private:
  struct Call;
  std::shared_ptr<Call> call_;
};

// A member of the input that comes in a header of the request; only a signed one is taken.
struct HeaderMember {
  std::string_view header;
  std::string_view member;
};

// rest_json: a request whose body is one member, as its bytes are, and an answer whose members are
// its status, headers and body.
struct BlobForm {
  std::string_view input = {};   // the member that the request's body becomes; empty: JSON
  std::string_view output = {};  // the member of the output that the body is made of; empty: JSON
  std::string_view status = {};  // the member of the output that is the status
  std::vector<HeaderMember> headers = {};  // of the output
};

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
  // In the place of `handler`, for what must not hold a thread while it waits. What it throws is
  // the answer. The context ends with the call.
  std::function<void(const OperationContext&, const Answer&)> later = {};
  std::vector<HeaderMember> headers = {};  // rest_json only
  BlobForm blob = {};
  std::uint64_t max_body_bytes = 0;  // of a request, where it may be more than the router allows
  // Answers without a signature, too, as nobody: its input says who asks (query only).
  bool is_unsigned = false;
};

// An AWS error with its service-specific code ("ConflictException", "ValidationException"). Plain
// base::Error is translated by its code, so throw this only where AWS has a name of its own.
class ServiceError final : public std::exception {
 public:
  ServiceError(int http_status, std::string code, std::string message, std::string reason = {})
      : http_status_(http_status),
        code_(std::move(code)),
        message_(std::move(message)),
        reason_(std::move(reason)) {}
  [[nodiscard]] int http_status() const { return http_status_; }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  // A word for programs (fleet/names/reason.hpp) where the code says too little; else "".
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  int http_status_;
  std::string code_;
  std::string message_;
  std::string reason_;
};

}  // namespace andon::api
