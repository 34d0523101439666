// SPDX-License-Identifier: Apache-2.0
#include "base/metrics/metrics_page.hpp"

#include <gtest/gtest.h>

#include <array>

namespace andon::base {
namespace {

TEST(MetricsPageTest, IsWhatPrometheusReads) {
  static constexpr std::array kBounds{0.5, 1.0};
  Histogram took(kBounds);
  for (const double seconds : {0.1, 0.5, 0.75, 3.0}) took.observe(seconds);
  MetricsPage page;
  page.single("jobs_total", "counter", "Jobs.", 7);
  page.start("took_seconds", "histogram", "Time.");
  page.histogram("took_seconds", "kind=\"a\"", took);
  page.start("other_seconds", "histogram", "Time.");
  page.histogram("other_seconds", "", Histogram(kBounds));
  EXPECT_EQ(page.take(),
            "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total 7\n"
            "# HELP took_seconds Time.\n# TYPE took_seconds histogram\n"
            "took_seconds_bucket{kind=\"a\",le=\"0.5\"} 2\n"
            "took_seconds_bucket{kind=\"a\",le=\"1\"} 3\n"
            "took_seconds_bucket{kind=\"a\",le=\"+Inf\"} 4\n"
            "took_seconds_sum{kind=\"a\"} 4.35\n"
            "took_seconds_count{kind=\"a\"} 4\n"
            "# HELP other_seconds Time.\n# TYPE other_seconds histogram\n"
            "other_seconds_bucket{le=\"0.5\"} 0\n"
            "other_seconds_bucket{le=\"1\"} 0\n"
            "other_seconds_bucket{le=\"+Inf\"} 0\n"
            "other_seconds_sum 0\n"
            "other_seconds_count 0\n");
}

}  // namespace
}  // namespace andon::base
