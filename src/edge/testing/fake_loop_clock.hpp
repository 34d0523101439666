// SPDX-License-Identifier: Apache-2.0
// A loop's clock that the test turns: timers fire when it says so, other events come as they do.
#pragma once

#include <atomic>

#include "edge/loop/event_loop.hpp"

namespace andon::edge {

class FakeLoopClock final : public LoopClock {
 public:
  [[nodiscard]] Instant now() const override { return Instant(std::chrono::milliseconds(now_ms_)); }
  [[nodiscard]] std::chrono::milliseconds until(Instant when,
                                                std::chrono::milliseconds longest) const override {
    return when <= now() ? std::chrono::milliseconds{0} : longest;
  }
  void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_ms_{1'000'000};  // posts from other threads read it
};

// Handles what is there until `done()` or twenty real seconds have gone by; where nothing happens
// for a moment (processes and threads have their own pace), turns the clock on, so that what waits
// for a timer waits about a twentieth of its time.
inline bool run_fast_until(EventLoop& loop, FakeLoopClock& clock,
                           const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!loop.run_until(done, std::chrono::milliseconds{1})) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    clock.advance(std::chrono::milliseconds{20});
  }
  return true;
}

}  // namespace andon::edge
