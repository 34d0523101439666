// SPDX-License-Identifier: Apache-2.0
// The deployment operations of AWS IoT Greengrass V2.
#include <functional>
#include <utility>

#include "api/greengrass/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "fleet/names/reason.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

json::object describe(const control::Deployment& deployment) {
  json::object output{{"targetArn", deployment.target_arn},
                      {"revisionId", std::to_string(deployment.revision)},
                      {"deploymentId", deployment.id},
                      {"deploymentStatus", control::to_string(deployment.status)},
                      {"creationTimestamp", base::to_epoch_seconds(deployment.created)},
                      {"isLatestForTarget", deployment.is_latest}};
  put_unless_empty(output, "deploymentName", deployment.name);
  put_unless_empty(output, "parentTargetArn", deployment.parent_target_arn);
  return output;
}

json::value create(control::ControlPlane& control, const OperationContext& context) {
  const control::Deployment made = control.deployments.create(context.input);
  return json::object{
      {"deploymentId", made.id}, {"iotJobId", made.id}, {"iotJobArn", control.arns.job(made.id)}};
}

json::value get(const control::ControlPlane& control, const OperationContext& context) {
  const std::string id = required_text(context.input, "deploymentId");
  const auto deployment = control.deployments.find(id);
  if (!deployment) throw Error(ErrorCode::not_found, "there is no deployment " + id);
  json::object output = describe(*deployment);
  output["iotJobId"] = id;
  // Beside AWS's members: why it was canceled.
  put_unless_empty(output, fleet::kReasonMember, deployment->ended_reason);
  output["iotJobArn"] = control.arns.job(id);
  for (const auto& member : deployment->request) output[member.key()] = member.value();
  put_tags(output, control, control.arns.deployment(id));
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  control::DeploymentFilter filter;
  filter.target_arn = text_or_empty(context.input, "targetArn");
  filter.parent_target_arn = text_or_empty(context.input, "parentTargetArn");
  const std::string history = word_or_empty(context.input, "historyFilter", {"ALL", "LATEST_ONLY"});
  filter.history = history == "ALL" ? control::DeploymentFilter::History::all
                                    : control::DeploymentFilter::History::latest_only;
  const auto found = control.deployments.list(filter, read_page(context.input, {}));
  json::array deployments;
  for (const control::Deployment& deployment : found.items) {
    deployments.emplace_back(describe(deployment));
  }
  json::object output{{"deployments", std::move(deployments)}};
  put_next(output, found.next);
  return output;
}

json::value cancel(control::ControlPlane& control, const OperationContext& context) {
  const std::string id = required_text(context.input, "deploymentId");
  control.deployments.cancel(id);
  return json::object{{"message", "deployment " + id +
                                      " is canceled; devices that are already at "
                                      "it may still finish"}};
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  control.deployments.remove(required_text(context.input, "deploymentId"));
  return nullptr;
}

}  // namespace

std::vector<Operation> deployment_operations(control::ControlPlane& control) {
  const auto row = std::bind_front(operation_of, std::ref(control));
  return {
      row("CreateDeployment", "POST", "/greengrass/v2/deployments", 201, create),
      row("GetDeployment", "GET", "/greengrass/v2/deployments/{deploymentId}", 200, get),
      row("ListDeployments", "GET", "/greengrass/v2/deployments", 200, list),
      row("CancelDeployment", "POST", "/greengrass/v2/deployments/{deploymentId}/cancel", 200,
          cancel),
      row("DeleteDeployment", "DELETE", "/greengrass/v2/deployments/{deploymentId}", 204, remove),
  };
}

}  // namespace andon::api
