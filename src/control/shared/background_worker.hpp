// SPDX-License-Identifier: Apache-2.0
// A thread that does one kind of work in small steps: as long as there is some, then when it is
// woken, and from time to time by itself. A step that throws is tried again after a pause, so the
// disk may be full for a while; the log has each reason once. Any thread may wake it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace andon::control {

class BackgroundWorker {
 public:
  // `step` answers whether there is more to do now. `name` is for the log.
  BackgroundWorker(std::string name, std::function<bool()> step, std::chrono::milliseconds pause);
  BackgroundWorker(const BackgroundWorker&) = delete;
  BackgroundWorker& operator=(const BackgroundWorker&) = delete;
  // Finishes the step in hand.
  ~BackgroundWorker();

  void wake();

 private:
  void work();
  [[nodiscard]] bool attempt();

  const std::string name_;
  const std::function<bool()> step_;
  const std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string last_problem_;  // of the thread alone
  bool is_woken_ = true;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace andon::control
