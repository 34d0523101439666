// SPDX-License-Identifier: Apache-2.0
// The input of AWS's CreateDeployment, checked member by member: every problem is found, not only
// the first. What exists (targets, component versions) is not looked at here. Pure; any thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "control/arn.hpp"
#include "recipe/deployment_document.hpp"

namespace andon::control {

namespace json = base::json;

struct DeploymentRequest {
  Target target;
  std::string name;
  std::string parent_target_arn;
  std::map<std::string, std::string> tags;
  std::optional<std::string> client_token;
  std::optional<std::chrono::minutes> in_progress_timeout;
  recipe::DeploymentDocument document;  // without ids, ARN and time
  json::object shown;  // components, deploymentPolicies, iotJobConfiguration, as GetDeployment
                       // answers them
};

// Throws invalid_argument with all problems, each with the place of its member.
[[nodiscard]] DeploymentRequest parse_deployment_request(const json::object& request);

}  // namespace andon::control
