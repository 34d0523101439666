// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/machine_log.hpp"

#include <chrono>

#include "base/error/error.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/time/time.hpp"
#include "cli/terminal/log_printer.hpp"
#include "cli/workflow/history.hpp"
#include "fleet/names/arn.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

// The name of the group; empty where nothing is written.
std::string group_of(const json::object& machine) {
  const json::value whole(machine);
  const auto* level = base::find_pointer(whole, "/loggingConfiguration/level");
  const auto* arn = base::find_pointer(
      whole, "/loggingConfiguration/destinations/0/cloudWatchLogsLogGroup/logGroupArn");
  if (level == nullptr || level->as_string() == "OFF" || arn == nullptr) return "";
  const auto ref = fleet::parse_log_group_arn(std::string(arn->as_string()));
  return ref ? ref->name : "";
}

}  // namespace

std::string log_text(const std::string& message) {
  try {
    const json::value parsed = base::parse_json(message, "a line", {.max_depth = 64});
    const auto text = [&](std::string_view pointer) {
      const auto* found = base::find_pointer(parsed, pointer);
      return found == nullptr ? std::string() : std::string(found->as_string());
    };
    const auto time = base::parse_int64(text("/event_timestamp"));
    const auto id = base::parse_int64(text("/id"));
    const std::string execution = text("/execution_arn");
    if (time && id) {
      const json::object event{{"timestamp", static_cast<double>(*time) / 1000},
                               {"id", *id},
                               {"type", text("/type")},
                               {"loggedEventDetails", parsed.at("details")}};
      return base::escape_controls(execution.substr(execution.rfind(':') + 1)) + "  " +
             event_line(event);
    }
  } catch (const std::exception&) {  // another form
  }
  return base::escape_controls(message);
}

json::object logging_to(const std::string& group_arn, const std::string& level, bool with_data) {
  return {{"level", level},
          {"includeExecutionData", with_data},
          {"destinations", {{{"cloudWatchLogsLogGroup", {{"logGroupArn", group_arn}}}}}}};
}

int print_machine_log(Session& session, const MachineLogOptions& options) {
  const std::string arn = session.machine(options.machine);
  const json::object machine = session.call("DescribeStateMachine", {{"stateMachineArn", arn}});
  const std::string group = group_of(machine);
  const std::string name(machine.at("name").as_string());
  if (group.empty()) {
    throw base::Error(base::ErrorCode::failed_precondition,
                      "state machine '" + name + "' writes no log: `andon workflow update " + name +
                          " --log-level ALL` lets it, and `andon workflow logs " + name +
                          ":EXECUTION` shows the events of one execution");
  }
  json::object request{{"logGroupName", group}, {"logStreamNamePrefix", "states/" + name + "/"}};
  if (options.since_minutes > 0) {
    request["startTime"] = base::to_epoch_millis(base::SystemClock().now() -
                                                 std::chrono::minutes(options.since_minutes));
  }
  LogPrinter printer(
      [&session](const json::object& asked) { return session.logs("FilterLogEvents", asked); },
      [&options](const std::string& message) {
        return options.as_json ? message : log_text(message);
      },
      std::move(request));
  printer.print_new();
  if (options.follow) printer.follow();
  return 0;
}

}  // namespace andon::cli
