// SPDX-License-Identifier: Apache-2.0
// Map runs.
#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

using workflow::MapRunRow;
using workflow::Refusal;

std::string text_of(const json::object& input, std::string_view key) {
  return maybe_text(input, key).value_or("");
}

std::int64_t count(const json::object& counts, std::string_view key) {
  const auto* value = counts.if_contains(key);
  return value == nullptr ? 0 : value->to_number<std::int64_t>();
}

// The names of MapRunItemCounts and MapRunExecutionCounts.
json::object all_counts(std::int64_t total, std::int64_t running, std::int64_t succeeded,
                        std::int64_t failed, std::int64_t timed_out, std::int64_t aborted,
                        bool is_over) {
  const std::int64_t started = running + succeeded + failed + timed_out + aborted;
  const std::int64_t rest = std::max<std::int64_t>(0, total - started);
  return {{"pending", is_over ? 0 : rest},
          {"running", running},
          {"succeeded", succeeded},
          {"failed", failed},
          {"timedOut", timed_out},
          {"aborted", aborted + (is_over ? rest : 0)},
          {"total", total},
          {"resultsWritten", is_over && failed + aborted == 0 ? total : succeeded},
          {"failuresNotRedrivable", 0},
          {"pendingRedrive", 0}};
}

json::value describe(const Service& service, const json::object& input) {
  const std::string arn = text_of(input, "mapRunArn");
  workflow::check_map_run_arn(arn);
  const auto run = service.workflow.executions().find_map_run(arn);
  if (!run) throw Refusal("ResourceNotFound", "Resource not found: '" + arn + "'");
  const auto parent = service.workflow.executions().find(run->execution);
  const bool is_over = run->status != "RUNNING";
  const json::object& counts = run->counts;
  const auto children = service.workflow.executions().count_children(arn);
  const auto child = [&children](const char* status) {
    const auto found = children.find(status);
    return found == children.end() ? std::int64_t{0} : found->second;
  };
  // Express children leave no rows: then the items say it.
  json::object executions =
      children.empty()
          ? all_counts(count(counts, "children"), count(counts, "running"),
                       count(counts, "succeededChildren"), count(counts, "failedChildren"), 0, 0,
                       is_over)
          : all_counts(std::max(count(counts, "children"),
                                child("RUNNING") + child("SUCCEEDED") + child("FAILED") +
                                    child("TIMED_OUT") + child("ABORTED")),
                       child("RUNNING"), child("SUCCEEDED"), child("FAILED"), child("TIMED_OUT"),
                       child("ABORTED"), is_over);
  json::object output{{"mapRunArn", arn},
                      {"executionArn", parent ? parent->arn : ""},
                      {"status", run->status},
                      {"startDate", seconds(run->started)},
                      {"maxConcurrency", run->max_concurrency},
                      {"toleratedFailurePercentage", run->tolerated_percentage},
                      {"toleratedFailureCount", run->tolerated_count},
                      {"itemCounts", all_counts(count(counts, "total"), count(counts, "running"),
                                                count(counts, "succeeded"), count(counts, "failed"),
                                                0, 0, is_over)},
                      {"executionCounts", std::move(executions)},
                      {"redriveCount", run->redrive_count}};
  if (run->stopped) output["stopDate"] = seconds(*run->stopped);
  if (run->redriven) output["redriveDate"] = seconds(*run->redriven);
  return output;
}

void update(const Service& service, const json::object& input, const Answer& answer) {
  Workflow::MapRunUpdate update;
  update.max_concurrency = optional_number(input, "maxConcurrency");
  update.tolerated_count = optional_number(input, "toleratedFailureCount");
  if (const auto* percentage = input.if_contains("toleratedFailurePercentage")) {
    if (percentage->is_number()) update.tolerated_percentage = percentage->to_number<double>();
  }
  service.workflow.update_map_run(text_of(input, "mapRunArn"), update,
                                  [answer](const std::exception_ptr& failure) {
                                    if (failure) {
                                      answer.fail(as_service_error(failure));
                                    } else {
                                      answer.succeed(json::object());
                                    }
                                  });
}

json::value list(const Service& service, const json::object& input) {
  const std::string arn = text_of(input, "executionArn");
  workflow::check_standard_execution_arn(arn);
  const workflow::Execution execution = service.workflow.executions().require(arn);
  const auto listed = service.workflow.executions().list_map_runs(
      execution.id, read_page(service, "ListMapRuns", input));
  json::array runs;
  for (const MapRunRow& run : listed.items) {
    json::object item{
        {"executionArn", execution.arn},
        {"mapRunArn", run.arn},
        {"stateMachineArn", service.workflow.arns().machine(workflow::machine_of_map_run(run.arn))},
        {"startDate", seconds(run.started)}};
    if (run.stopped) item["stopDate"] = seconds(*run.stopped);
    runs.push_back(std::move(item));
  }
  json::object output{{"mapRuns", std::move(runs)}};
  put_next(service, "ListMapRuns", output, listed.next);
  return output;
}

}  // namespace

std::vector<Operation> map_run_rows(const Service& service) {
  constexpr std::int64_t kMost = 1'000'000'000;
  return {row_later(service, "UpdateMapRun",
                    {needed(arn("mapRunArn", 2000)), number("maxConcurrency", 0, kMost),
                     fraction("toleratedFailurePercentage", 0, 100),
                     number("toleratedFailureCount", 0, kMost)},
                    update),
          row(service, "DescribeMapRun", {needed(arn("mapRunArn", 2000))}, describe),
          row(service, "ListMapRuns", with_page({needed(arn("executionArn"))}), list)};
}

}  // namespace andon::api::states
