// SPDX-License-Identifier: Apache-2.0
// Room: observe. What the world is told of executions beside their histories: their events in the
// log group that the machine names, and counts for Prometheus.
//
// ExecutionLog forms the lines of a machine's loggingConfiguration, as Step Functions writes them.
// Told after each commit, it hands them on and waits for nobody: a crash may lose the last ones (at
// AWS delivery is best effort, too); the history never. Any thread.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "workflow/executions/types.hpp"
#include "workflow/machines/machines.hpp"

namespace andon::workflow {

enum class LogLevel : std::uint8_t { off, fatal, error, all };
[[nodiscard]] LogLevel log_level(std::string_view word);
// Is an event of this type written at this level?
[[nodiscard]] bool is_logged(std::string_view event_type, LogLevel level);
// The line of one event; without data where `with_data` is false, or where it would be longer than
// a log group takes.
[[nodiscard]] std::string log_line(const Execution& execution, const asl::HistoryEvent& event,
                                   bool with_data);
// "states/MACHINE/2026-11-29": a stream a machine a day.
[[nodiscard]] std::string log_stream(std::string_view machine, base::Timestamp time);

class ExecutionLog {
 public:
  // Takes a line of an execution for the log group with this ARN; must not block.
  using Write =
      std::function<void(const Execution& execution, const std::string& group_arn,
                         const std::string& stream, base::Timestamp time, std::string line)>;
  ExecutionLog(const Machines& machines, Write write);

  void note(const Execution& execution, const std::vector<asl::HistoryEvent>& events);

 private:
  struct Settings {
    LogLevel level = LogLevel::off;
    bool with_data = false;
    std::string group_arn;
    std::string machine;
  };
  [[nodiscard]] std::shared_ptr<const Settings> settings_of(const std::string& revision);

  const Machines& machines_;
  const Write write_;
  // Of the revisions that were asked for last.
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<const Settings>>> known_;
};

}  // namespace andon::workflow
