// SPDX-License-Identifier: Apache-2.0
// andon's own ListMachineStates: each state machine with its last execution, and those that went
// wrong lately, so that who looks at many asks once and not once for each.
#include "api/constraints/rows.hpp"
#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

constexpr PageLimits kPage{.standard = 100, .maximum = 200};
constexpr std::size_t kMostFailures = 5;  // of a machine

json::object outline(const workflow::Execution& execution) {
  json::object told{{"executionArn", execution.arn},
                    {"name", execution.name},
                    {"status", asl::to_string(execution.status)},
                    {"startDate", seconds(execution.started)}};
  if (execution.stopped) told["stopDate"] = seconds(*execution.stopped);
  return told;
}

std::vector<workflow::Execution> newest_of(const Service& service, const std::string& machine,
                                           const std::string& status, std::size_t most) {
  workflow::ExecutionFilter filter;
  filter.machine = machine;
  filter.status = status;
  return service.workflow.executions().list(filter, {.limit = most}).items;
}

json::array failures_of(const Service& service, const std::string& machine, base::Timestamp since) {
  json::array failures;
  for (const char* status : {"FAILED", "TIMED_OUT"}) {
    for (const workflow::Execution& one : newest_of(service, machine, status, kMostFailures)) {
      if (one.stopped && *one.stopped >= since) failures.push_back(outline(one));
    }
  }
  return failures;
}

json::value list(const Service& service, const OperationContext& context) {
  const auto since = optional_time_ms(context.input, "failedSince");
  const control::PageRequest page = api::read_page(context.input, kPage);
  const auto listed = service.workflow.machines().list({.limit = page.limit, .after = page.after});
  json::array machines;
  for (const workflow::Machine& machine : listed.items) {
    json::object one{{"stateMachineArn", machine.arn},
                     {"name", machine.name},
                     {"type", to_string(machine.type)},
                     {"creationDate", seconds(machine.created)}};
    if (machine.type == workflow::MachineType::standard) {
      const auto last = newest_of(service, machine.arn, {}, 1);
      if (!last.empty()) one["lastExecution"] = outline(last.front());
      if (since) {
        one["failures"] = failures_of(service, machine.arn, base::from_epoch_millis(*since));
      }
    }
    machines.push_back(std::move(one));
  }
  json::object output{{"machines", std::move(machines)}};
  api::put_next(output, listed.next);
  return output;
}

}  // namespace

std::vector<Operation> machine_state_rows(const Service& service) {
  return {own_row("ListMachineStates", "GET", "/andon/v1/machine-states", service, list)};
}

}  // namespace andon::api::states
