// SPDX-License-Identifier: Apache-2.0
#include "base/time/latency_histogram.hpp"

#include <gtest/gtest.h>

namespace andon::base {
namespace {

using std::chrono::microseconds;

TEST(LatencyHistogram, IsAtMostAFifthAboveTheTruePercentile) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 10'000; ++us) histogram.add(microseconds(us));
  EXPECT_EQ(histogram.count(), 10'000U);
  EXPECT_EQ(histogram.max(), microseconds(10'000));
  for (const double share : {0.5, 0.9, 0.99, 0.999}) {
    const double exact = share * 10'000;
    const auto found = static_cast<double>(histogram.percentile(share).count());
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.2) << share;
  }
}

TEST(LatencyHistogram, TakesAnyDuration) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.999), microseconds(0));
  histogram.add(microseconds(-5));
  EXPECT_EQ(histogram.percentile(1), microseconds(0));
  histogram.add(std::chrono::hours(1));
  EXPECT_EQ(histogram.max(), std::chrono::hours(1));
  EXPECT_LE(histogram.percentile(0.5), microseconds(1));
}

}  // namespace
}  // namespace andon::base
