// SPDX-License-Identifier: Apache-2.0
#include "base/time/latency_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace andon::base {

void LatencyHistogram::add(std::chrono::microseconds took) {
  const std::int64_t us = std::max<std::int64_t>(took.count(), 0);
  std::size_t step = 0;
  if (us > 1) {
    step = static_cast<std::size_t>(
        std::ceil(std::log2(static_cast<double>(us)) * double{kSteps} - 1e-9));
  }
  ++counts_.at(std::min(step, counts_.size() - 1));
  ++count_;
  max_ = std::max(max_, std::chrono::microseconds(us));
}

std::chrono::microseconds LatencyHistogram::percentile(double share) const {
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t step = 0; step < counts_.size(); ++step) {
    seen += counts_.at(step);
    if (seen == 0 || seen < rank) continue;
    const auto upper =
        static_cast<std::int64_t>(std::ceil(std::exp2(static_cast<double>(step) / double{kSteps})));
    return std::min(max_, std::chrono::microseconds(upper));
  }
  return max_;
}

}  // namespace andon::base
