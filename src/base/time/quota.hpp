// SPDX-License-Identifier: Apache-2.0
// How much of something may be taken in a time: a bucket that fills at a steady rate. Not
// thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace andon::base {

class Quota {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Takes `amount` where there is so much; `per_second` is the steady rate, `at_once` the most.
  [[nodiscard]] bool take(std::uint64_t amount, std::uint64_t per_second, std::uint64_t at_once,
                          TimePoint now) {
    const double most = static_cast<double>(at_once);
    if (!has_begun_) {
      left_ = most;
      has_begun_ = true;
    } else if (now > filled_) {
      const std::chrono::duration<double> passed = now - filled_;
      left_ = std::min(most, left_ + passed.count() * static_cast<double>(per_second));
    }
    filled_ = now;
    if (left_ < static_cast<double>(amount)) return false;
    left_ -= static_cast<double>(amount);
    return true;
  }

 private:
  bool has_begun_ = false;
  double left_ = 0;
  TimePoint filled_;
};

}  // namespace andon::base
