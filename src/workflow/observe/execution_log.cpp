// SPDX-License-Identifier: Apache-2.0
#include "workflow/observe/execution_log.hpp"

#include <algorithm>

#include "workflow/executions/executions.hpp"

namespace andon::workflow {
namespace {

constexpr std::size_t kKnown = 256;
// A log group takes lines of a megabyte.
constexpr std::size_t kMostLine = 1'000'000;

std::string made(const Execution& execution, const asl::HistoryEvent& event, json::object details) {
  return base::to_text(
      json::object{{"id", std::to_string(event.id)},
                   {"type", event.type},
                   {"details", std::move(details)},
                   {"previous_event_id", std::to_string(event.previous)},
                   {"event_timestamp", std::to_string(base::to_epoch_millis(event.time))},
                   {"execution_arn", execution.arn},
                   {"redrive_count", std::to_string(execution.redrive_count)}});
}

}  // namespace

LogLevel log_level(std::string_view word) {
  if (word == "ALL") return LogLevel::all;
  if (word == "ERROR") return LogLevel::error;
  return word == "FATAL" ? LogLevel::fatal : LogLevel::off;
}

bool is_logged(std::string_view type, LogLevel level) {
  switch (level) {
    case LogLevel::off:
      return false;
    case LogLevel::fatal:
      return type == "ExecutionFailed" || type == "ExecutionAborted" || type == "ExecutionTimedOut";
    case LogLevel::error:
      return type == "FailStateEntered" || type.ends_with("Failed") || type.ends_with("Aborted") ||
             type.ends_with("TimedOut");
    case LogLevel::all:
      return true;
  }
  return false;
}

std::string log_line(const Execution& execution, const asl::HistoryEvent& event, bool with_data) {
  json::value whole = asl::to_json(event);
  json::object& object = whole.as_object();
  const auto details = [&]() -> json::object {
    auto* found = event.details.empty() ? nullptr : object.if_contains(event.details);
    return found == nullptr ? json::object() : std::move(found->as_object());
  };
  if (!with_data) {
    drop_data(object);
    return made(execution, event, details());
  }
  std::string line = made(execution, event, details());
  if (line.size() <= kMostLine) return line;
  whole = asl::to_json(event);
  drop_data(whole.as_object());
  json::object rest = details();
  for (const auto& [key, data] : event.texts) {
    if (key == "input" || key == "output") rest[key + "Details"] = {{"truncated", true}};
  }
  return made(execution, event, std::move(rest));
}

std::string log_stream(std::string_view machine, base::Timestamp time) {
  constexpr std::size_t kDate = 10;  // 2026-11-29
  return "states/" + std::string(machine) + "/" + base::to_iso8601(time).substr(0, kDate);
}

ExecutionLog::ExecutionLog(const Machines& machines, Write write)
    : machines_(machines), write_(std::move(write)) {}

std::shared_ptr<const ExecutionLog::Settings> ExecutionLog::settings_of(
    const std::string& revision) {
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(known_, [&](const auto& one) { return one.first == revision; });
    if (found != known_.end()) {
      known_.splice(known_.begin(), known_, found);
      return known_.front().second;
    }
  }
  Settings settings;
  if (const auto machine = machines_.find_revision(revision)) {
    const json::object& logging = machine->settings.logging;
    const json::value all(logging);
    const auto* level = base::find_pointer(all, "/level");
    const auto* data = base::find_pointer(all, "/includeExecutionData");
    const auto* group =
        base::find_pointer(all, "/destinations/0/cloudWatchLogsLogGroup/logGroupArn");
    if (level != nullptr && group != nullptr) {
      settings.level = log_level(level->as_string());
      settings.with_data = data != nullptr && data->is_bool() && data->get_bool();
      settings.group_arn = group->as_string();
      settings.machine = machine->arn.substr(machine->arn.rfind(':') + 1);
    }
  }
  auto kept = std::make_shared<const Settings>(std::move(settings));
  const std::lock_guard lock(mutex_);
  known_.emplace_front(revision, kept);
  if (known_.size() > kKnown) known_.pop_back();
  return kept;
}

void ExecutionLog::note(const Execution& execution, const std::vector<asl::HistoryEvent>& events) {
  if (!write_ || events.empty()) return;
  const auto settings = settings_of(execution.revision);
  if (settings->level == LogLevel::off) return;
  for (const asl::HistoryEvent& event : events) {
    if (!is_logged(event.type, settings->level)) continue;
    write_(execution, settings->group_arn, log_stream(settings->machine, event.time), event.time,
           log_line(execution, event, settings->with_data));
  }
}

}  // namespace andon::workflow
