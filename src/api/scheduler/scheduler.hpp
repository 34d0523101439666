// SPDX-License-Identifier: Apache-2.0
// Room: scheduler. EventBridge Scheduler (model 2021-06-30) as rows of the operation table:
// schedules, their groups, tags. Over andon::events::Schedules.
#pragma once

#include <functional>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/shared/tags.hpp"
#include "events/rules/types.hpp"
#include "events/schedule/schedules.hpp"

namespace andon::api {

struct SchedulerParts {
  events::Schedules& schedules;
  control::Tags& tags;
  events::EventArns arns;
  const Authorizer* authorizer = nullptr;
  // Is there such a row of the operation table?
  std::function<bool(std::string_view service, std::string_view operation)> has_operation;
  std::function<void()> wake;  // something may be due earlier than before
};

// What `parts` refers to outlives the rows.
[[nodiscard]] std::vector<Operation> scheduler_operations(const SchedulerParts& parts);

}  // namespace andon::api
