// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/rate_meter.hpp"

#include <algorithm>
#include <cstddef>

namespace andon::inspect {
namespace {

std::size_t place_of(std::int64_t second) {
  return static_cast<std::size_t>(second % (RateMeter::kSeconds + 1));
}

}  // namespace

std::int64_t RateMeter::second_of(Time at) const {
  return std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::seconds>(at - start_).count());
}

void RateMeter::count(Time at) {
  const std::int64_t second = second_of(at);
  for (std::int64_t gone = std::max(newest_ + 1, second - kSeconds); gone <= second; ++gone) {
    counts_.at(place_of(gone)) = 0;
  }
  newest_ = std::max(newest_, second);
  ++counts_.at(place_of(newest_));
}

double RateMeter::per_second(Time now) const {
  const std::int64_t oldest = std::max<std::int64_t>(0, second_of(now) - kSeconds);
  std::uint64_t sum = 0;
  for (std::int64_t second = oldest; second <= newest_; ++second) {
    sum += counts_.at(place_of(second));
  }
  const std::chrono::duration<double> time = now - (start_ + std::chrono::seconds(oldest));
  return static_cast<double>(sum) / std::max(1.0, time.count());
}

}  // namespace andon::inspect
