// SPDX-License-Identifier: Apache-2.0
// What became of an output's deadlines, over the program's life, in constant memory: how many were
// met, late and failed, and how long it took from the trigger until the line was told. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/metrics/histogram.hpp"
#include "base/time/latency_histogram.hpp"
#include "inspect/outputs/part.hpp"

namespace andon::inspect {

struct DeadlineFigures {
  std::uint64_t met = 0;
  std::uint64_t late = 0;
  std::uint64_t failed = 0;
  std::chrono::microseconds p50{0};
  std::chrono::microseconds p99{0};
  std::chrono::microseconds max{0};
};

class DeadlineCounts {
 public:
  DeadlineCounts();
  DeadlineCounts(const DeadlineCounts&) = delete;
  DeadlineCounts& operator=(const DeadlineCounts&) = delete;

  // `took`: nothing where the line was not told.
  void add(Outcome outcome, std::optional<std::chrono::microseconds> took);

  [[nodiscard]] DeadlineFigures figures() const;
  [[nodiscard]] base::Histogram histogram() const;  // in seconds

 private:
  mutable std::mutex mutex_;  // guards all below
  std::uint64_t met_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t failed_ = 0;
  base::LatencyHistogram took_;
  base::Histogram seconds_;
};

}  // namespace andon::inspect
