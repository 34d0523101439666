// SPDX-License-Identifier: Apache-2.0
#include "base/time/latency.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace andon::base {

Latency latency_of(std::vector<double> milliseconds) {
  Latency latency;
  std::vector<double>& times = milliseconds;
  if (times.empty()) return latency;
  std::sort(times.begin(), times.end());
  const auto rank = [&](double share) {
    const double place = std::ceil(share * static_cast<double>(times.size()));
    return times[std::clamp<std::size_t>(static_cast<std::size_t>(place), 1, times.size()) - 1];
  };
  latency.count = times.size();
  latency.mean_ms =
      std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  latency.min_ms = times.front();
  latency.p50_ms = rank(0.5);
  latency.p90_ms = rank(0.9);
  latency.p95_ms = rank(0.95);
  latency.p99_ms = rank(0.99);
  latency.max_ms = times.back();
  return latency;
}

}  // namespace andon::base
