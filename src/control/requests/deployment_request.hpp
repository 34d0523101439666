// SPDX-License-Identifier: Apache-2.0
// Room: requests. What a deployment asks for, before there is one.
// The input of AWS's CreateDeployment, checked member by member: every problem is found, not only
// the first. What exists (targets, component versions) is not looked at here. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "control/shared/arn.hpp"
#include "fleet/rollout/job_configuration.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::control {

namespace json = base::json;

struct DeploymentRequest {
  Target target;
  std::string name;
  std::optional<Target> parent;  // a thing group: this is a sub-deployment of its deployment
  std::map<std::string, std::string> tags;
  std::optional<std::string> client_token;
  fleet::JobConfiguration job_configuration;
  recipe::DeploymentDocument document;  // without ids, ARN and time
  json::object shown;  // components, deploymentPolicies, iotJobConfiguration, as GetDeployment
                       // answers them
};

// Throws invalid_argument with all problems, each with the place of its member.
[[nodiscard]] DeploymentRequest parse_deployment_request(const json::object& request);

}  // namespace andon::control
