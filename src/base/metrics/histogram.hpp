// SPDX-License-Identifier: Apache-2.0
// How often something was how large: counts between bounds that rise, as Prometheus has them.
// Values; one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace andon::base {

class Histogram {
 public:
  // `bounds` outlive it (constants). A value equal to a bound counts below it.
  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds), counts_(bounds.size() + 1) {}

  void observe(double value);

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  // One more than there are bounds: the last is of what is beyond all.
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::span<const double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

}  // namespace andon::base
