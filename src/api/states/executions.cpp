// SPDX-License-Identifier: Apache-2.0
// Executions: start, stop, describe, list, history.
#include <algorithm>

#include "api/states/rows.hpp"

namespace andon::api::states {
namespace {

using workflow::Execution;
using workflow::Refusal;

std::string text_of(const json::object& input, std::string_view key) {
  return maybe_text(input, key).value_or("");
}

bool with_data(const json::object& input) {
  return text_of(input, "includedData") != "METADATA_ONLY";
}

workflow::StartExecution read_start(const json::object& input) {
  return {.machine_arn = text_of(input, "stateMachineArn"),
          .name = text_of(input, "name"),
          .input = maybe_text(input, "input"),
          .trace_header = text_of(input, "traceHeader")};
}

void start(const Service& service, const json::object& input, const Answer& answer) {
  service.workflow.start(read_start(input), [answer](const workflow::Started& started,
                                                     const std::exception_ptr& failure) {
    if (failure) {
      answer.fail(as_service_error(failure));
      return;
    }
    answer.succeed(
        json::object{{"executionArn", started.arn}, {"startDate", seconds(started.started)}});
  });
}

void put_outcome(json::object& output, const Execution& execution, bool has_data) {
  if (has_data && execution.output) output["output"] = *execution.output;
  if (execution.output) output["outputDetails"] = {{"included", has_data}};
  if (execution.error) output["error"] = *execution.error;
  if (execution.cause) output["cause"] = *execution.cause;
}

void start_sync(const Service& service, const json::object& input, const Answer& answer) {
  const bool has_data = with_data(input);
  service.workflow.start_sync(
      read_start(input), [answer, has_data, machine = text_of(input, "stateMachineArn"),
                          given = text_of(input, "input"), has_input = input.contains("input")](
                             const Execution& ended, const std::exception_ptr& failure) {
        if (failure) {
          answer.fail(as_service_error(failure));
          return;
        }
        const base::Timestamp stopped = ended.stopped.value_or(ended.started);
        json::object output{
            {"executionArn", ended.arn},    {"stateMachineArn", ended.machine},
            {"name", ended.name},           {"startDate", seconds(ended.started)},
            {"stopDate", seconds(stopped)}, {"status", asl::to_string(ended.status)}};
        if (has_data) output["input"] = has_input ? given : "{}";
        output["inputDetails"] = {{"included", has_data}};
        put_outcome(output, ended, has_data);
        output["outputDetails"] = {{"included", has_data}};
        put_unless_empty(output, "traceHeader", ended.trace_header);
        const std::int64_t took = (stopped - ended.started).count();
        output["billingDetails"] = {
            {"billedDurationInMilliseconds", std::max<std::int64_t>(1, (took + 99) / 100) * 100},
            {"billedMemoryUsedInMB", 64}};
        answer.succeed(std::move(output));
      });
}

void stop(const Service& service, const json::object& input, const Answer& answer) {
  service.workflow.stop(
      text_of(input, "executionArn"), maybe_text(input, "error"), maybe_text(input, "cause"),
      [answer](const base::Timestamp& stopped, const std::exception_ptr& failure) {
        if (failure) {
          answer.fail(as_service_error(failure));
          return;
        }
        answer.succeed(json::object{{"stopDate", seconds(stopped)}});
      });
}

void put_redrive(const Service& service, json::object& output, const Execution& execution) {
  output["redriveCount"] = execution.redrive_count;
  if (execution.redriven) output["redriveDate"] = seconds(*execution.redriven);
  const std::string reason = service.workflow.not_redrivable_because(execution);
  if (!reason.empty()) {
    output["redriveStatus"] = "NOT_REDRIVABLE";
    output["redriveStatusReason"] = reason;
  } else {
    output["redriveStatus"] = execution.map_run.empty() ? "REDRIVABLE" : "REDRIVABLE_BY_MAP_RUN";
  }
}

void redrive(const Service& service, const json::object& input, const Answer& answer) {
  service.workflow.redrive(
      text_of(input, "executionArn"), text_of(input, "clientToken"),
      [answer](const base::Timestamp& redriven, const std::exception_ptr& failure) {
        if (failure) {
          answer.fail(as_service_error(failure));
          return;
        }
        answer.succeed(json::object{{"redriveDate", seconds(redriven)}});
      });
}

json::value describe(const Service& service, const json::object& input) {
  const std::string arn = text_of(input, "executionArn");
  workflow::check_standard_execution_arn(arn);
  const Execution execution = service.workflow.executions().require(arn);
  const bool has_data = with_data(input);
  json::object output{{"executionArn", execution.arn},
                      {"stateMachineArn", execution.machine},
                      {"name", execution.name},
                      {"status", asl::to_string(execution.status)},
                      {"startDate", seconds(execution.started)}};
  if (execution.stopped) output["stopDate"] = seconds(*execution.stopped);
  if (has_data) output["input"] = execution.input;
  output["inputDetails"] = {{"included", has_data}};
  put_outcome(output, execution, has_data);
  put_unless_empty(output, "traceHeader", execution.trace_header);
  put_unless_empty(output, "mapRunArn", execution.map_run);
  put_unless_empty(output, "stateMachineVersionArn", execution.version_arn);
  put_unless_empty(output, "stateMachineAliasArn", execution.alias_arn);
  put_redrive(service, output, execution);
  return output;
}

json::value list(const Service& service, const json::object& input) {
  workflow::ExecutionFilter filter;
  const auto machine = maybe_text(input, "stateMachineArn");
  const auto map_run = maybe_text(input, "mapRunArn");
  if (machine.has_value() == map_run.has_value()) {
    throw Refusal("ValidationException",
                  machine ? "Only one of stateMachineArn and mapRunArn may be specified"
                          : "Either stateMachineArn or mapRunArn must be specified",
                  machine ? "" : "MISSING_REQUIRED_PARAMETER");
  }
  filter.status = text_of(input, "statusFilter");
  if (filter.status == "PENDING_REDRIVE" && !map_run) {
    throw Refusal("ValidationException",
                  "The status filter PENDING_REDRIVE needs the ARN of a map run");
  }
  if (const auto redriven = maybe_text(input, "redriveFilter")) {
    filter.is_redriven = *redriven == "REDRIVEN";
  }
  if (map_run) {
    workflow::check_map_run_arn(*map_run);
    if (!service.workflow.executions().find_map_run(*map_run)) {
      throw Refusal("ResourceNotFound", "Resource not found: '" + *map_run + "'");
    }
    filter.map_run = *map_run;
  } else {
    const workflow::MachineArn named = workflow::read_machine_arn(*machine);
    if (service.workflow.machines().describe(named.unqualified).type ==
        workflow::MachineType::express) {
      throw Refusal("StateMachineTypeNotSupported",
                    "This operation is not supported by this type of state machine");
    }
    filter.machine = named.unqualified;
    if (named.is_version()) filter.version_arn = *machine;
    if (named.is_alias()) filter.alias_arn = *machine;
  }
  const auto listed =
      service.workflow.executions().list(filter, read_page(service, "ListExecutions", input));
  json::array executions;
  for (const Execution& execution : listed.items) {
    json::object item{{"executionArn", execution.arn},
                      {"stateMachineArn", execution.machine},
                      {"name", execution.name},
                      {"status", asl::to_string(execution.status)},
                      {"startDate", seconds(execution.started)},
                      {"redriveCount", execution.redrive_count}};
    if (execution.stopped) item["stopDate"] = seconds(*execution.stopped);
    if (execution.redriven) item["redriveDate"] = seconds(*execution.redriven);
    if (map_run) {
      item["mapRunArn"] = execution.map_run;
      item["itemCount"] = execution.item_count;
    }
    put_unless_empty(item, "stateMachineVersionArn", execution.version_arn);
    put_unless_empty(item, "stateMachineAliasArn", execution.alias_arn);
    executions.push_back(std::move(item));
  }
  json::object output{{"executions", std::move(executions)}};
  put_next(service, "ListExecutions", output, listed.next);
  return output;
}

json::value history(const Service& service, const json::object& input) {
  const std::string arn = text_of(input, "executionArn");
  workflow::check_standard_execution_arn(arn);
  const Execution execution = service.workflow.executions().require(arn);
  const workflow::PageOf page = read_page(service, "GetExecutionHistory", input);
  workflow::HistoryRequest request;
  request.limit = page.limit;
  request.reverse = flag(input, "reverseOrder");
  const auto* data = input.if_contains("includeExecutionData");
  request.with_data = data == nullptr || !data->is_bool() || data->get_bool();
  if (!page.after.empty()) request.after = std::atoll(page.after.c_str());
  auto found = service.workflow.executions().history(execution.id, request);
  json::object output{{"events", std::move(found.events)}};
  if (found.next) put_next(service, "GetExecutionHistory", output, std::to_string(*found.next));
  return output;
}

}  // namespace

std::vector<Operation> execution_rows(const Service& service) {
  const MemberRule execution = needed(arn("executionArn"));
  const MemberRule included = word("includedData", {"ALL_DATA", "METADATA_ONLY"});
  const std::vector<MemberRule> starting = {needed(arn("stateMachineArn")), name_rule(),
                                            secret("input", 262'144), text("traceHeader", 0, 256)};
  std::vector<MemberRule> starting_sync = starting;
  starting_sync.push_back(included);
  return {
      row_later(service, "StartExecution", starting, start),
      row_later(service, "StartSyncExecution", starting_sync, start_sync),
      row_later(service, "StopExecution",
                {execution, secret("error", 256), secret("cause", 32'768)}, stop),
      row_later(service, "RedriveExecution", {execution, text("clientToken", 1, 64)}, redrive),
      row(service, "DescribeExecution", {execution, included}, describe),
      row(service, "ListExecutions",
          with_page({arn("stateMachineArn"),
                     word("statusFilter", {"SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED",
                                           "FAILED", "RUNNING"}),
                     arn("mapRunArn", 2000), word("redriveFilter", {"REDRIVEN", "NOT_REDRIVEN"})},
                    3096),
          list),
      row(service, "GetExecutionHistory",
          with_page({execution, flag_rule("reverseOrder"), flag_rule("includeExecutionData")}),
          history)};
}

}  // namespace andon::api::states
