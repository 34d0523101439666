// SPDX-License-Identifier: Apache-2.0
// What jobs write, as lines of the log group that their order names, and of /andon/jobs where it
// names none: a stream a job, MACHINE/EXECUTION/JOBID. A group is made with the first line of a
// program's life; where somebody deletes it, lines are dropped until the next start. It waits for
// nobody, with a queue of its own, so that a job that writes much pushes out nobody's lines but
// other jobs'. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/time/time.hpp"
#include "control/logs/log_writer.hpp"
#include "job/order/order.hpp"

namespace andon::server {

class JobLog {
 public:
  static constexpr const char* kGroup = "/andon/jobs";

  JobLog(control::Logs& logs, const base::Clock& clock)
      : logs_(logs), clock_(clock), lines_(logs) {}

  // Throws nothing.
  void write(const job::JobOrder& order, std::string line);
  void flush() { lines_.flush(); }
  [[nodiscard]] control::LogWriter::Counts counts() const { return lines_.counts(); }

 private:
  [[nodiscard]] bool has_group(const std::string& name);

  control::Logs& logs_;
  const base::Clock& clock_;
  std::mutex mutex_;                                 // guards what follows
  std::map<std::string, base::Timestamp> attempts_;  // by group: when it is tried again
  std::set<std::string> groups_;                     // that were there
  control::LogWriter lines_;
};

}  // namespace andon::server
