// SPDX-License-Identifier: Apache-2.0
// One output at work: parts wait here for their turn, on threads of its own, so that a slow output
// never holds another. What was not told by its deadline (the fail-safe verdict: a little after it)
// is counted and never told afterwards: the part is gone by then, and another one stands there. Any
// thread gives; ending waits until what is in hand was told or is late.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "inspect/outputs/deadline_counts.hpp"
#include "inspect/outputs/driver.hpp"

namespace andon::inspect {

class Lane {
 public:
  using MakeDriver = std::function<std::unique_ptr<Driver>()>;

  // `on_done` is called after each part, on a thread of the lane. Throws what `make` throws.
  Lane(OutputSettings settings, const MakeDriver& make, std::shared_ptr<DeadlineCounts> counts,
       std::function<void()> on_done);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  [[nodiscard]] const OutputSettings& settings() const { return settings_; }
  [[nodiscard]] const DeadlineCounts& counts() const { return *counts_; }
  // A verdict of this kind is given.
  [[nodiscard]] bool takes(Judgement judgement) const;

  // `index`: of its entry in the part. Never waits.
  void give(std::shared_ptr<Part> part, std::size_t index, PartVerdict verdict);

  // Nothing is in hand, and no pulse is on its way.
  [[nodiscard]] bool is_idle() const;
  void wait_until_idle() const;

  static constexpr std::size_t kMostWaiting = 256;

 private:
  struct Task {
    std::shared_ptr<Part> part;
    std::size_t index = 0;
    PartVerdict verdict;
    Instant deadline;
    Instant until;  // then it is not told any more
  };

  void run(Driver& driver);
  [[nodiscard]] bool is_idle_locked() const;
  [[nodiscard]] Instant wake_at(const Driver& driver) const;
  void tell(Driver& driver, const Task& task);
  void settle(const Task& task, Outcome outcome, bool was_told);
  void report(const Task& task, std::string_view why);

  const OutputSettings settings_;
  const std::shared_ptr<DeadlineCounts> counts_;  // goes on under the next lane of this name
  const std::function<void()> on_done_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  mutable std::mutex mutex_;  // guards the next
  std::condition_variable changed_;
  mutable std::condition_variable done_;
  std::multimap<Instant, Task> waiting_;  // by when they are due
  std::size_t busy_ = 0;                  // threads that tell a part or end a pulse
  bool is_stopping_ = false;
  Instant reported_{};  // of problems: the log is not flooded
  std::vector<std::thread> threads_;
};

}  // namespace andon::inspect
