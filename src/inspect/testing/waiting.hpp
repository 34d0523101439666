// SPDX-License-Identifier: Apache-2.0
// For tests: waiting for what another thread or program does.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace andon::inspect {

// False where it did not come true within half a minute.
[[nodiscard]] inline bool wait_until(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace andon::inspect
