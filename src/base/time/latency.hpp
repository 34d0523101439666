// SPDX-License-Identifier: Apache-2.0
// How long something took, over many times: what benchmarks report. Pure; any thread.
#pragma once

#include <cstddef>
#include <vector>

namespace andon::base {

// In milliseconds; percentiles by nearest rank.
struct Latency {
  std::size_t count = 0;
  double mean_ms = 0;
  double min_ms = 0;
  double p50_ms = 0;
  double p90_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};
// In any order; zeros where there are none.
[[nodiscard]] Latency latency_of(std::vector<double> milliseconds);

}  // namespace andon::base
