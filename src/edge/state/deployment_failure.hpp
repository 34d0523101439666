// SPDX-License-Identifier: Apache-2.0
// Why a deployment failed, in the vocabulary that Greengrass reports to its server: an error stack
// (outermost first), error types, and a cause that a person can act on. Values; pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/fwd.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::edge {

namespace json = base::json;

struct FailureReport {
  std::string cause;
  std::vector<std::string> error_stack;  // "DEPLOYMENT_FAILURE", ..., "ARTIFACT_CHECKSUM_MISMATCH"
  std::vector<std::string> error_types;  // "USER_COMPONENT_ERROR"
  bool rejected = false;                 // REJECTED: refused before it began
};

[[nodiscard]] json::object to_json(const FailureReport& report);
[[nodiscard]] FailureReport parse_failure_report(const json::value& value);

// Thrown where the reason is known precisely. `codes` follow DEPLOYMENT_FAILURE.
class DeploymentFailure : public base::Error {
 public:
  DeploymentFailure(base::ErrorCode code, std::string message, std::vector<std::string> codes,
                    std::vector<std::string> types);

  [[nodiscard]] const std::vector<std::string>& codes() const { return codes_; }
  [[nodiscard]] const std::vector<std::string>& types() const { return types_; }

 private:
  std::vector<std::string> codes_;
  std::vector<std::string> types_;
};

// What NETWORK_ERROR is followed by, as far as that is known: TLS_HANDSHAKE_FAILURE or
// HTTP_REQUEST_ERROR.
[[nodiscard]] std::vector<std::string> network_codes(const base::Error& error);

// A recipe as it came, `whose` ("component app"): throws DeploymentFailure where it cannot be read.
[[nodiscard]] recipe::Recipe read_recipe(std::string_view text, const std::string& whose);

// The report for anything that was caught: exact for a DeploymentFailure or a ResolutionError, else
// from the error's code.
[[nodiscard]] FailureReport report_of(const std::exception& error);
[[nodiscard]] FailureReport rejection(std::string cause, std::string code, std::string type);

}  // namespace andon::edge
