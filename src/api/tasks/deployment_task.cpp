// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/deployment_task.hpp"

#include "api/tasks/sdk/sdk_names.hpp"
#include "api/tasks/sdk_task.hpp"
#include "base/log/log.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::DeploymentStatus;

constexpr std::size_t kMostDevices = 1000;  // in a task's output

json::object outcome(const control::ControlPlane& control, const control::Deployment& deployment) {
  json::array devices;
  for (const auto& one : control.jobs.of_deployment(deployment.id, kMostDevices)) {
    json::object device{{"CoreDeviceThingName", one.execution.thing},
                        {"Status", fleet::to_string(one.execution.status)}};
    if (!one.reason.empty()) device["Reason"] = one.reason;
    devices.push_back(std::move(device));
  }
  return {{"DeploymentId", deployment.id},
          {"TargetArn", deployment.target_arn},
          {"DeploymentStatus", to_string(deployment.status)},
          {"Devices", std::move(devices)}};
}

}  // namespace

bool DeploymentTask::has(const asl::Resource& resource) const {
  return resource.text == "arn:andon:states:::deployment:run.sync";
}

control::Deployment DeploymentTask::create(const workflow::TaskRequest& task, Asked asked) {
  const auto* parameters = task.parameters->if_object();
  json::object input = parameters == nullptr
                           ? json::object()
                           : from_sdk(*find_sdk_service("greengrassv2"), *parameters);
  // The same at each repetition: the first one's deployment is the answer.
  input["clientToken"] = task.idempotency_token;
  try {
    if (asked == Asked::now) {
      roles_.calls().require_operation(roles_.caller_of(task), "greengrass", "CreateDeployment",
                                       input);
    }
    return control_.deployments.create(input);
  } catch (const workflow::TaskFailure&) {
    throw;
  } catch (...) {
    throw sdk_failure("GreengrassV2", "greengrass", std::current_exception());
  }
}

void DeploymentTask::start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  const control::Deployment made = create(task, Asked::now);
  reply.submitted(json::object{{"DeploymentId", made.id}, {"TargetArn", made.target_arn}});
  watch(made.id, reply);
}

void DeploymentTask::resume(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  watch(create(task, Asked::before).id, reply);
}

void DeploymentTask::watch(const std::string& id, const workflow::TaskReply& reply) {
  const auto deployment = control_.deployments.find(id);
  if (!deployment) {
    reply.failed("Deployment.Removed", "deployment " + id + " was removed before it had ended");
    return;
  }
  switch (deployment->status) {
    case DeploymentStatus::active:
      later_([this, id, reply] { watch(id, reply); });
      return;
    case DeploymentStatus::completed:
      reply.succeeded(outcome(control_, *deployment));
      return;
    case DeploymentStatus::failed:
      reply.failed("Deployment.Failed", base::to_text(outcome(control_, *deployment)));
      return;
    case DeploymentStatus::canceled:
      reply.failed("Deployment.Canceled", base::to_text(outcome(control_, *deployment)));
      return;
    case DeploymentStatus::inactive:
      reply.failed("Deployment.Superseded", base::to_text(outcome(control_, *deployment)));
      return;
  }
}

void DeploymentTask::cancel(const workflow::TaskRequest& task) {
  try {
    const std::string id = create(task, Asked::now).id;
    roles_.require_operation(roles_.caller_of(task), "greengrass", "CancelDeployment",
                             {{"deploymentId", id}});
    control_.deployments.cancel(id);
  } catch (const std::exception& error) {
    base::log_info("a deployment was not cancelled with its execution",
                   {{"execution", task.execution_arn}, {"reason", std::string(error.what())}});
  }
}

}  // namespace andon::api
