// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/task_roles.hpp"

#include "api/sts/sts.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

// A denial as the integrations word it; what else is thrown passes.
template <typename Work>
auto with_denials(Work work) {
  try {
    return work();
  } catch (const ServiceError& error) {
    throw Error(ErrorCode::permission_denied, error.what());
  }
}

}  // namespace

Caller TaskRoles::session(const workflow::ForExecution& by, const std::string& task_role) const {
  if (by.role_arn.empty()) {
    throw Error(ErrorCode::permission_denied,
                "there is no role to call as: give the state a role that states.amazonaws.com may "
                "assume (roleArn)");
  }
  const std::string name = by.execution_arn.substr(by.execution_arn.rfind(':') + 1);
  return with_denials([&] {
    const Caller own = calls_.as_role({.role_arn = by.role_arn,
                                       .session = name,
                                       .service = control::kStatesService,
                                       .source_arn = by.machine_arn});
    return task_role.empty() ? own : assume_task_role(iam_, authorizer_, own, task_role, name);
  });
}

Caller TaskRoles::caller_of(const workflow::TaskRequest& task) const {
  try {
    return session({.execution_arn = task.execution_arn,
                    .machine_arn = task.machine_arn,
                    .role_arn = task.role_arn},
                   task.task_role);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    throw workflow::TaskFailure("States.Permissions", error.message());
  }
}

Caller TaskRoles::caller_of(const workflow::ForExecution& by) const {
  return session(by, {});
}

void TaskRoles::require(const Caller& caller, std::string_view action, const std::string& resource,
                        const policy::Context& keys) const {
  with_denials([&] { calls_.require(caller, action, resource, keys); });
}

void TaskRoles::require_operation(const Caller& caller, std::string_view service,
                                  std::string_view operation,
                                  const base::json::object& input) const {
  with_denials([&] { calls_.require_operation(caller, service, operation, input); });
}

bool TaskRoles::may_log(const std::string& role_arn, const std::string& machine_arn,
                        const std::string& group_arn) const {
  const std::string machine = machine_arn.substr(machine_arn.rfind(':') + 1);
  try {
    const Caller caller = calls_.as_role({.role_arn = role_arn,
                                          .session = machine,
                                          .service = control::kStatesService,
                                          .source_arn = machine_arn});
    const std::string group = group_arn.substr(0, group_arn.size() - 1);
    const auto ruling =
        authorizer_.decide(caller, "logs:PutLogEvents", group + "log-stream:states/" + machine);
    // AWS's service writes the lines itself: roles there may set up a delivery, and no more.
    return ruling.is_allowed() ||
           (ruling.decision.verdict != policy::Verdict::denied_explicitly &&
            authorizer_.decide(caller, "logs:CreateLogDelivery", "*").is_allowed());
  } catch (const ServiceError&) {
    return false;
  }
}

void TaskRoles::require_object(const Caller& caller, std::string_view action,
                               const std::string& bucket, const std::string& key) const {
  require(caller, action, "arn:aws:s3:::" + bucket + "/" + key);
}

}  // namespace andon::api
