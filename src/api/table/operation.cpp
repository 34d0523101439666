// SPDX-License-Identifier: Apache-2.0
#include "api/table/operation.hpp"

#include <atomic>
#include <utility>

#include "base/error/error.hpp"

namespace andon::api {

struct Answer::Call {
  explicit Call(Deliver how) : deliver(std::move(how)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    if (is_answered) return;
    deliver({}, std::make_exception_ptr(base::Error(base::ErrorCode::unavailable,
                                                    "the server ended before it could answer")));
  }

  Deliver deliver;
  std::function<void(std::function<void()>)> watch;
  std::atomic<bool> is_answered = false;
};

Answer::Answer(Deliver deliver) : call_(std::make_shared<Call>(std::move(deliver))) {}

void Answer::succeed(base::json::value output) const {
  if (!call_->is_answered.exchange(true)) call_->deliver(std::move(output), nullptr);
}

void Answer::fail(std::exception_ptr error) const {
  if (!call_->is_answered.exchange(true)) call_->deliver({}, std::move(error));
}

void Answer::when_gone(std::function<void()> work) const {
  if (call_->watch) call_->watch(std::move(work));
}

void Answer::set_when_gone(std::function<void(std::function<void()>)> watch) const {
  call_->watch = std::move(watch);
}

}  // namespace andon::api
