// SPDX-License-Identifier: Apache-2.0
#include "edge/process/step_process.hpp"

#include <signal.h>

#include <utility>

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

// Between SIGTERM and SIGKILL for a step that has run out of time.
constexpr milliseconds kTimeoutGrace{2000};

}  // namespace

StepProcess::StepProcess(EventLoop& loop, std::function<void(const ProcessEnd&)> on_end)
    : loop_(loop), on_end_(std::move(on_end)) {}

StepProcess::~StepProcess() {
  loop_.cancel(deadline_);
  loop_.cancel(kill_);
}

void StepProcess::limit(milliseconds timeout) {
  deadline_ = loop_.after(timeout, [this] {
    deadline_ = 0;
    timed_out_ = true;
    const bool was_asked = asked_;
    terminate(kTimeoutGrace);
    asked_ = was_asked;
  });
}

void StepProcess::end(ProcessEnd end) {
  ended_ = true;
  loop_.cancel(std::exchange(deadline_, 0));
  loop_.cancel(std::exchange(kill_, 0));
  end.timed_out = timed_out_;
  end.was_asked = asked_;
  const auto on_end = std::move(on_end_);
  on_end(end);
}

void StepProcess::signal(int number) const {
  if (leader_ > 1) ::kill(-leader_, number);
}

void StepProcess::pause() {
  if (!ended_) signal(SIGSTOP);
}

void StepProcess::resume() {
  if (!ended_) signal(SIGCONT);
}

void StepProcess::terminate(milliseconds grace) {
  asked_ = true;
  if (ended_) return;
  signal(SIGTERM);
  resume();  // else it would not hear of it
  loop_.cancel(kill_);
  kill_ = loop_.after(grace, [this] {
    kill_ = 0;
    signal(SIGKILL);
  });
}

}  // namespace andon::edge
