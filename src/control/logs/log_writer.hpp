// SPDX-License-Identifier: Apache-2.0
// Takes lines from parts of the server that must not wait for a disk, and puts them into log groups
// in batches, in the order in which they came. What is queued is bounded: lines beyond it are
// dropped and counted, and the stream says so. A crash loses what is queued; the destructor writes
// it. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "control/logs/logs.hpp"
#include "control/shared/background_worker.hpp"

namespace andon::control {

class LogWriter {
 public:
  struct Limits {
    std::size_t queued_bytes = 16U << 20U;
    std::chrono::milliseconds pause{500};  // between a failure and the next attempt
  };
  explicit LogWriter(Logs& logs) : LogWriter(logs, Limits{}) {}
  LogWriter(Logs& logs, Limits limits);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter();

  // The stream is made where it is absent; lines for a group that is not there are dropped. A line
  // that is too long is cut.
  void write(const std::string& group, const std::string& stream, LogLine line);
  // Waits until what was queued before is written or dropped.
  void flush();

  struct Counts {
    std::uint64_t written = 0;
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Queued {
    std::string group;
    std::string stream;
    LogLine line;
  };
  struct Batch {
    std::string group;
    std::string stream;
    std::vector<LogLine> lines;
  };
  bool step();
  [[nodiscard]] Batch next_batch();
  void store(const Batch& batch);
  void settle(std::size_t lines, bool is_written);

  Logs& logs_;
  const Limits limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Queued> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t taken_ = 0;    // lines that were ever queued
  std::uint64_t settled_ = 0;  // of those, written or dropped
  std::uint64_t missed_ = 0;   // dropped since the last line that had room
  Counts counts_;
  int attempts_ = 0;                        // of the batch at the front; of the thread that steps
  std::optional<BackgroundWorker> worker_;  // last: it uses all of the above
};

}  // namespace andon::control
