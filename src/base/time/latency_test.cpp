// SPDX-License-Identifier: Apache-2.0
#include "base/time/latency.hpp"

#include <gtest/gtest.h>

namespace andon::base {
namespace {

TEST(Latency, IsByNearestRank) {
  std::vector<double> times;
  for (int i = 100; i > 0; --i) times.push_back(i);
  const Latency latency = latency_of(times);
  EXPECT_EQ(latency.count, 100U);
  EXPECT_EQ(latency.min_ms, 1);
  EXPECT_EQ(latency.p50_ms, 50);
  EXPECT_EQ(latency.p90_ms, 90);
  EXPECT_EQ(latency.p99_ms, 99);
  EXPECT_EQ(latency.max_ms, 100);
  EXPECT_EQ(latency.mean_ms, 50.5);
  EXPECT_EQ(latency_of({3}).p99_ms, 3);
  EXPECT_EQ(latency_of({}).count, 0U);
}

}  // namespace
}  // namespace andon::base
