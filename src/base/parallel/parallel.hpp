// SPDX-License-Identifier: Apache-2.0
// The one fan-out: several threads share a number of like tasks, and the caller waits for all.
// The caller works too, as worker 0, so it does what on_progress and the like want on its own
// thread. Threads that the system does not give are done without: then fewer workers do the same
// tasks. The first error ends the giving out of tasks and is thrown once everybody has ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>

namespace andon::base {

// What one worker sees of the tasks. Used by that worker's thread only.
class Share {
 public:
  Share(std::atomic<std::size_t>& next, std::size_t count, std::size_t worker)
      : next_(next), count_(count), worker_(worker) {}

  // The number of the next task, from 0; nothing when all are given out or one has failed.
  [[nodiscard]] std::optional<std::size_t> take() {
    const std::size_t task = next_.fetch_add(1);
    if (task >= count_) return std::nullopt;
    return task;
  }
  [[nodiscard]] std::size_t worker() const { return worker_; }  // from 0, the caller's thread

 private:
  std::atomic<std::size_t>& next_;
  std::size_t count_;
  std::size_t worker_;
};

// Runs `work` on up to `workers` threads (the caller's is one of them), at most one a task; it
// makes what a worker needs and then takes tasks until there are none. `work` runs on several
// threads at once. Returns how many workers there were.
std::size_t share_tasks(std::size_t tasks, std::size_t workers,
                        const std::function<void(Share&)>& work);

// One task a worker, side by side: for work that lasts until it is told to end. Returns how many
// workers there were: at least one, fewer than asked where the system does not give the threads.
std::size_t run_side_by_side(std::size_t workers,
                             const std::function<void(std::size_t worker)>& work);

// `wanted`, or as many as there are cores that this process may keep busy where it is 0 or less.
[[nodiscard]] std::size_t worker_count(int wanted);

}  // namespace andon::base
