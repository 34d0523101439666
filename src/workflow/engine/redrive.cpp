// SPDX-License-Identifier: Apache-2.0
// Redrives, and new limits for map runs.
#include "asl/definition/machine.hpp"
#include "base/error/error.hpp"
#include "workflow/engine/workflow.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

constexpr std::chrono::hours kRedrivable{14 * 24};
constexpr std::int64_t kMostEvents = 24'999;

asl::Data parse(std::string_view text) {
  return asl::make_data(
      base::parse_json(text, "a stored document", {.max_bytes = 64U << 20U, .max_depth = 1100}));
}

// The state of the main flow that the execution ended in, by its history.
asl::Redrive last_state(const Executions& executions, const Execution& execution,
                        const asl::Flow& flow) {
  asl::Redrive found;
  found.state = flow.start_at;
  found.input = parse(execution.input);
  HistoryRequest request{.limit = 1000, .reverse = false, .with_data = true, .after = 0};
  while (true) {
    const HistoryPage page = executions.history(execution.id, request);
    for (const json::value& value : page.events) {
      const json::object& event = value.as_object();
      const auto details_of = [&event](const char* key) -> const json::object* {
        const auto* details = event.if_contains(key);
        return details == nullptr ? nullptr : details->if_object();
      };
      // Names are unique over the machine, so that those of the main flow can be told.
      if (const auto* entered = details_of("stateEnteredEventDetails")) {
        const std::string name(entered->at("name").as_string());
        if (!flow.places.contains(name)) continue;
        found.state = name;
        found.input = parse(entered->at("input").as_string());
      } else if (const auto* exited = details_of("stateExitedEventDetails")) {
        const auto* assigned = exited->if_contains("assignedVariables");
        const std::string name(exited->at("name").as_string());
        if (assigned == nullptr || !flow.places.contains(name)) continue;
        for (const auto& variable : assigned->as_object()) {
          std::erase_if(found.variables,
                        [&](const auto& old) { return old.first == variable.key(); });
          found.variables.emplace_back(variable.key(), parse(variable.value().as_string()));
        }
      }
    }
    if (!page.next) return found;
    request.after = *page.next;
  }
}

}  // namespace

std::string Workflow::not_redrivable_because(const Execution& execution) const {
  if (execution.status == asl::Status::running || execution.status == asl::Status::succeeded) {
    return "Execution is " + std::string(asl::to_string(execution.status)) +
           " and cannot be redriven";
  }
  if (execution.last_event >= kMostEvents) return "Execution history event limit exceeded";
  if (clock_.now() - execution.stopped.value_or(execution.started) >= kRedrivable) {
    return "Execution has exceeded the max redrivable period";
  }
  return "";
}

void Workflow::redrive(const std::string& arn, const std::string& token,
                       const Told<base::Timestamp>& told) {
  check_standard_execution_arn(arn);
  const Execution execution = executions_.require(arn);
  // A request that comes again, too, whose redrive may be running.
  if (const auto before = executions_.redrive_of(execution.id, token)) {
    told(*before, nullptr);
    return;
  }
  const std::string reason =
      execution.map_run.empty()
          ? not_redrivable_because(execution)
          : "Execution was started by a Map Run and can only be redriven with its parent";
  if (!reason.empty()) throw Refusal("ExecutionNotRedrivable", reason);
  const auto machine = machines_.find_revision(execution.revision);
  if (!machine || machine->is_deleting) {
    throw Refusal("ExecutionNotRedrivable", "State machine is being deleted");
  }
  const Compiled compiled = machines_.compiled(execution.revision);
  driver_.redrive(execution, last_state(executions_, execution, compiled->main()), token, told);
}

void Workflow::update_map_run(const std::string& arn, const MapRunUpdate& update,
                              Driver::Done done) {
  check_map_run_arn(arn);
  const auto run = executions_.find_map_run(arn);
  if (!run) throw Refusal("ResourceNotFound", "Resource not found: '" + arn + "'");
  if (run->status != "RUNNING") {
    throw Refusal("ValidationException", "Map Run has already completed: '" + arn + "'",
                  "CANNOT_UPDATE_COMPLETED_MAP_RUN");
  }
  driver_.post(run->execution,
               asl::MapRunChanged{run->branch, update.max_concurrency, update.tolerated_count,
                                  update.tolerated_percentage},
               std::move(done));
}

}  // namespace andon::workflow
