// SPDX-License-Identifier: Apache-2.0
// Tells blocking work on another thread that it is not wanted any more, and lets it wait meanwhile.
// Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace andon::edge {

class Cancellation {
 public:
  void cancel();
  [[nodiscard]] bool cancelled() const { return flag_; }
  [[nodiscard]] const std::atomic<bool>& flag() const { return flag_; }
  void throw_if_cancelled() const;  // base::Error(cancelled)
  // Throws when it is cancelled meanwhile.
  void wait(std::chrono::milliseconds time) const;

  // What the work waits for, for people; empty where it does not wait.
  void note_wait(std::string reason) const;
  [[nodiscard]] std::string waits_for() const;

 private:
  std::atomic<bool> flag_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::string waits_for_;  // guarded by mutex_
};

// Runs `work` again after errors that may pass (unavailable, deadline_exceeded), with backoff from
// 0.2 s to 30 s, until `patience` has gone by without `progress()` getting another value; then the
// last error is thrown. Other errors are thrown at once.
void retry(const Cancellation& cancellation, std::chrono::milliseconds patience,
           const std::function<std::uint64_t()>& progress, const std::function<void()>& work);

}  // namespace andon::edge
