// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/deadline_counts.hpp"

#include <array>

namespace andon::inspect {
namespace {

// A line's deadlines: a few milliseconds to some seconds.
constexpr std::array<double, 15> kBoundsSeconds{0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075,
                                                0.1,   0.15,   0.25,  0.5,  1,    2.5,  10};

}  // namespace

DeadlineCounts::DeadlineCounts() : seconds_(kBoundsSeconds) {}

void DeadlineCounts::add(Outcome outcome, std::optional<std::chrono::microseconds> took) {
  const std::lock_guard lock(mutex_);
  if (outcome == Outcome::met) ++met_;
  if (outcome == Outcome::late) ++late_;
  if (outcome == Outcome::failed) ++failed_;
  if (!took) return;
  took_.add(*took);
  seconds_.observe(std::chrono::duration<double>(*took).count());
}

DeadlineFigures DeadlineCounts::figures() const {
  constexpr double kMedian = 0.5;
  constexpr double kP99 = 0.99;
  const std::lock_guard lock(mutex_);
  return {met_, late_, failed_, took_.percentile(kMedian), took_.percentile(kP99), took_.max()};
}

base::Histogram DeadlineCounts::histogram() const {
  const std::lock_guard lock(mutex_);
  return seconds_;
}

}  // namespace andon::inspect
