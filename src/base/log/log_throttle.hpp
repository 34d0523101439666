// SPDX-License-Identifier: Apache-2.0
// For what may happen with each message, for days: a word of it at most once in an interval, with
// how often it has happened since the word before. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace andon::base {

class LogThrottle {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit LogThrottle(std::chrono::milliseconds interval) : interval_(interval) {}

  // It has happened `times` times at `now`. How often since the word before, where it is time for
  // another; else nothing, and it counts for the next.
  [[nodiscard]] std::optional<std::int64_t> happened(std::int64_t times, TimePoint now) {
    untold_ += times;
    if (told_at_ && now - *told_at_ < interval_) return std::nullopt;
    told_at_ = now;
    return std::exchange(untold_, 0);
  }

 private:
  const std::chrono::milliseconds interval_;
  std::optional<TimePoint> told_at_;
  std::int64_t untold_ = 0;
};

}  // namespace andon::base
