// SPDX-License-Identifier: Apache-2.0
// Tells the server how far a deployment is, while it lasts: not before it has lasted some seconds,
// and then now and again where something has changed. What is lost on the way is made good by the
// next; nothing is stored. Owned by the agent; main thread only.
#pragma once

#include <functional>
#include <string>

#include "edge/loop/event_loop.hpp"
#include "fleet/messages/deployment_progress.hpp"

namespace andon::edge {

class ProgressReporter {
 public:
  struct Now {
    std::string job_id;  // empty: nothing is in hand
    fleet::DeploymentProgress progress;
  };
  // `look` tells how it is now; `send` gets what is new.
  ProgressReporter(EventLoop& loop, std::function<Now()> look,
                   std::function<void(const Now&)> send);
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;
  ~ProgressReporter() { loop_.cancel(timer_); }

  // A deployment may have begun.
  void start();

  static constexpr std::chrono::milliseconds kFirst{3'000};
  static constexpr std::chrono::milliseconds kAgain{10'000};

 private:
  void tick();

  EventLoop& loop_;
  std::function<Now()> look_;
  std::function<void(const Now&)> send_;
  std::string told_;  // as text, so that what is not seen does not count as new
  EventLoop::TimerId timer_ = 0;
};

}  // namespace andon::edge
