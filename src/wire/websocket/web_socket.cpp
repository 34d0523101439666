// SPDX-License-Identifier: Apache-2.0
#include "wire/websocket/web_socket.hpp"

#include <utility>

namespace andon::wire {

void WebSocket::wake() {
  const std::lock_guard lock(mutex_);
  if (wake_) wake_();
}

void WebSocket::end(WebSocketEnd how) {
  const std::lock_guard lock(mutex_);
  if (ending_) return;
  ending_ = std::move(how);
  if (wake_) wake_();
}

void WebSocket::begin(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void WebSocket::has_gone() {
  {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    if (std::exchange(is_gone_, true)) return;
  }
  if (parts_.on_gone) parts_.on_gone();
}

std::optional<WebSocketEnd> WebSocket::ending() const {
  const std::lock_guard lock(mutex_);
  return ending_;
}

}  // namespace andon::wire
