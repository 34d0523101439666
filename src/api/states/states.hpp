// SPDX-License-Identifier: Apache-2.0
// AWS Step Functions (model 2016-11-23) as rows of the operation table, over the workflow engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "base/time/time.hpp"
#include "workflow/engine/workflow.hpp"

namespace andon::api {

struct StatesOptions {
  // Is there a log group with this ARN?
  std::function<bool(const std::string& arn)> has_log_group;
  // May this role write a machine's log into that group?
  std::function<bool(const std::string& role_arn, const std::string& machine_arn,
                     const std::string& group_arn)>
      may_log = {};
  // Decides who may give a role to a machine; null: the account alone. Outlives the rows.
  const Authorizer* authorizer = nullptr;
};

// `workflow` and `clock` outlive the rows.
[[nodiscard]] std::vector<Operation> states_operations(workflow::Workflow& workflow,
                                                       const base::Clock& clock,
                                                       const StatesOptions& options);

}  // namespace andon::api
