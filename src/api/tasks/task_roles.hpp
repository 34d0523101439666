// SPDX-License-Identifier: Apache-2.0
// What calls of a state machine may do: what its role may (or that of a task's Credentials, which
// the machine's role must be allowed to take). The session is named after the execution. Any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "api/table/internal_call.hpp"
#include "policy/language/context.hpp"
#include "workflow/tasks/integration.hpp"
#include "workflow/tasks/items.hpp"

namespace andon::api {

class TaskRoles {
 public:
  // All must outlive it.
  TaskRoles(const InternalCalls& calls, const control::Iam& iam, const Authorizer& authorizer)
      : calls_(calls), iam_(iam), authorizer_(authorizer) {}

  // Throws TaskFailure(States.Permissions) where the role is not there, or cannot be taken.
  [[nodiscard]] Caller caller_of(const workflow::TaskRequest& task) const;
  // Throws base::Error(permission_denied) likewise.
  [[nodiscard]] Caller caller_of(const workflow::ForExecution& by) const;

  // Throw base::Error(permission_denied) with AWS's sentence.
  void require(const Caller& caller, std::string_view action, const std::string& resource,
               const policy::Context& keys = {}) const;
  void require_operation(const Caller& caller, std::string_view service, std::string_view operation,
                         const base::json::object& input) const;
  // Of objects: "s3:GetObject" on bucket and key.
  void require_object(const Caller& caller, std::string_view action, const std::string& bucket,
                      const std::string& key) const;

  // Whether a machine's role may write lines of its executions; `group_arn` ends in ":*".
  [[nodiscard]] bool may_log(const std::string& role_arn, const std::string& machine_arn,
                             const std::string& group_arn) const;

  [[nodiscard]] const InternalCalls& calls() const { return calls_; }

 private:
  [[nodiscard]] Caller session(const workflow::ForExecution& by,
                               const std::string& task_role) const;

  const InternalCalls& calls_;
  const control::Iam& iam_;
  const Authorizer& authorizer_;
};

}  // namespace andon::api
