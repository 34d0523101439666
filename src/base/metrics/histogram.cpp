// SPDX-License-Identifier: Apache-2.0
#include "base/metrics/histogram.hpp"

#include <algorithm>

namespace andon::base {

void Histogram::observe(double value) {
  const auto bound = std::ranges::lower_bound(bounds_, value);
  ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
  sum_ += value;
}

}  // namespace andon::base
