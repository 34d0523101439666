// SPDX-License-Identifier: Apache-2.0
#include "base/parallel/parallel.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/log/log.hpp"
#include "base/os/cores.hpp"

namespace andon::base {
namespace {

// Keeps the first error of several threads.
class FirstError {
 public:
  void keep(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
};

// Fewer threads than `count` where the system gives no more.
template <typename Work>
std::vector<std::jthread> start_threads(std::size_t count, const Work& work) {
  std::vector<std::jthread> threads;
  threads.reserve(count);
  try {
    for (std::size_t worker = 1; worker <= count; ++worker) {
      threads.emplace_back([&work, worker] { work(worker); });
    }
  } catch (const std::system_error& error) {
    log_warning(
        "threads could not be started; the others do their work",
        {{"wanted", count}, {"started", threads.size()}, {"error", error.code().message()}});
  }
  return threads;
}

}  // namespace

std::size_t run_side_by_side(std::size_t workers,
                             const std::function<void(std::size_t worker)>& work) {
  FirstError first_error;
  const auto guarded = [&](std::size_t worker) {
    try {
      work(worker);
    } catch (...) {
      first_error.keep(std::current_exception());
    }
  };
  std::size_t ran = 1;
  {
    const std::vector<std::jthread> threads =
        start_threads(std::max<std::size_t>(workers, 1) - 1, guarded);
    ran += threads.size();
    guarded(0);
  }
  first_error.rethrow();
  return ran;
}

std::size_t share_tasks(std::size_t tasks, std::size_t workers,
                        const std::function<void(Share&)>& work) {
  std::atomic<std::size_t> next{0};
  return run_side_by_side(std::clamp<std::size_t>(workers, 1, std::max<std::size_t>(tasks, 1)),
                          [&](std::size_t worker) {
                            Share share(next, tasks, worker);
                            try {
                              work(share);
                            } catch (...) {
                              next = tasks;  // the others finish what they have in hand
                              throw;
                            }
                          });
}

std::size_t worker_count(int wanted) {
  return static_cast<std::size_t>(wanted > 0 ? wanted : usable_cores());
}

}  // namespace andon::base
