// SPDX-License-Identifier: Apache-2.0
// How many pictures a second the line has given lately: the mean of the last minute, or of the time
// since the beginning where that is shorter. Allocates nothing. One thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace andon::inspect {

class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::int64_t kSeconds = 60;

  explicit RateMeter(Time start) : start_(start) {}

  void count(Time at);
  [[nodiscard]] double per_second(Time now) const;

 private:
  [[nodiscard]] std::int64_t second_of(Time at) const;

  Time start_;
  // By second since the start, the newest of which is `newest_`; with the one that goes on.
  std::array<std::uint64_t, kSeconds + 1> counts_{};
  std::int64_t newest_ = 0;
};

}  // namespace andon::inspect
