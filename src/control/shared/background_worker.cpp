// SPDX-License-Identifier: Apache-2.0
#include "control/shared/background_worker.hpp"

#include <exception>
#include <utility>

#include "base/log/log.hpp"

namespace andon::control {

BackgroundWorker::BackgroundWorker(std::string name, std::function<bool()> step,
                                   std::chrono::milliseconds pause)
    : name_(std::move(name)), step_(std::move(step)), pause_(pause) {
  thread_ = std::thread([this] { work(); });
}

BackgroundWorker::~BackgroundWorker() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void BackgroundWorker::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_one();
}

void BackgroundWorker::work() {
  bool has_more = false;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!has_more) {
        changed_.wait_for(lock, pause_, [this] { return is_stopping_ || is_woken_; });
      }
      if (is_stopping_) return;
      is_woken_ = false;
    }
    has_more = attempt();
  }
}

bool BackgroundWorker::attempt() {
  try {
    const bool has_more = step_();
    last_problem_.clear();
    return has_more;
  } catch (const std::exception& error) {
    if (last_problem_ != error.what()) {
      base::log_error("background work failed; it is tried again",
                      {{"work", name_}, {"error", error.what()}});
    }
    last_problem_ = error.what();
  }
  // A wake does not cut this short: who wakes now would only meet the same failure.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, pause_, [this] { return is_stopping_; });
  return true;
}

}  // namespace andon::control
