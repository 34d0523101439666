// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http_later.hpp"

#include <utility>

namespace andon::wire {

void LaterResponse::answer(HttpResponse response) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::waiting) return;
  state_ = State::answered;
  if (deliver_) {
    deliver_(std::move(response));
    deliver_ = nullptr;
  } else {
    response_ = std::move(response);
  }
  gone_ = nullptr;
}

void LaterResponse::when_gone(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_gone_) {
      if (state_ == State::waiting) gone_ = std::move(work);
      return;
    }
  }
  work();
}

void LaterResponse::when_answered(std::function<void(HttpResponse)> work) {
  const std::lock_guard lock(mutex_);
  if (response_) {
    work(*std::exchange(response_, std::nullopt));
  } else if (state_ == State::waiting) {
    deliver_ = std::move(work);
  }
}

void LaterResponse::client_has_gone() {
  std::function<void()> work;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::waiting) return;
    state_ = State::ended;
    is_gone_ = true;
    deliver_ = nullptr;
    work = std::exchange(gone_, nullptr);
  }
  if (work) work();
}

}  // namespace andon::wire
