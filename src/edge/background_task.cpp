// SPDX-License-Identifier: Apache-2.0
#include "edge/background_task.hpp"

#include <utility>

namespace andon::edge {

BackgroundTask::BackgroundTask(EventLoop& loop, std::function<void()> work,
                               std::function<void(std::exception_ptr)> done)
    : thread_([&loop, work = std::move(work), done = std::move(done), alive = alive_] {
        std::exception_ptr error;
        try {
          work();
        } catch (...) {
          error = std::current_exception();
        }
        loop.post([alive, done, error] {
          if (*alive) done(error);
        });
      }) {}

BackgroundTask::~BackgroundTask() {
  *alive_ = false;  // read only on the loop's thread, which is this one
  thread_.join();
}

}  // namespace andon::edge
