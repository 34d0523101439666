// SPDX-License-Identifier: Apache-2.0
// Blocking work off the main thread: one short-lived thread for each piece, whose result comes back
// to the event loop. Owned and started on the main thread. Destroying it waits for the work to end.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <thread>

#include "edge/event_loop.hpp"

namespace andon::edge {

class BackgroundTask {
 public:
  // `work` runs on a new thread; then `done` runs on the loop with what it threw, if it did.
  // `done` may destroy this object. Once destroyed, `done` is not called any more.
  BackgroundTask(EventLoop& loop, std::function<void()> work,
                 std::function<void(std::exception_ptr)> done);
  BackgroundTask(const BackgroundTask&) = delete;
  BackgroundTask& operator=(const BackgroundTask&) = delete;
  ~BackgroundTask();

 private:
  // The posted end must not reach an object that is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::thread thread_;
};

}  // namespace andon::edge
