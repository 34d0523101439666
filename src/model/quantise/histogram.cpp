// SPDX-License-Identifier: Apache-2.0
// Histogram of model/calibration.hpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/quantise/calibration.hpp"

namespace andon::model {

double Histogram::width() const {
  return std::ldexp(1.0, exponent_);
}

// Bins 2k and 2k+1 become bin k.
void Histogram::coarsen() {
  std::vector<std::uint64_t> merged(static_cast<std::size_t>(kBins), 0);
  // Floor division, for bins below 0 too.
  const std::int64_t first = (first_ - (first_ & 1)) / 2;
  for (int i = 0; i < kBins; ++i) {
    if (bins_[static_cast<std::size_t>(i)] == 0) continue;
    const std::int64_t number = first_ + i;
    const std::int64_t half = (number - (number & 1)) / 2;
    merged[static_cast<std::size_t>(half - first)] += bins_[static_cast<std::size_t>(i)];
  }
  bins_ = std::move(merged);
  first_ = first;
  ++exponent_;
}

void Histogram::reach(Range range) {
  const Range wanted{std::min(range.low, extremes_.low), std::max(range.high, extremes_.high)};
  const auto lowest = [&] { return static_cast<std::int64_t>(std::floor(wanted.low / width())); };
  const auto highest = [&] { return static_cast<std::int64_t>(std::floor(wanted.high / width())); };
  // Always the finest grid that holds the extremes: it depends on them alone.
  const auto fits = [&] { return highest() - lowest() < kBins - 2; };
  if (bins_.empty()) {
    bins_.assign(static_cast<std::size_t>(kBins), 0);
    const double span = std::max(static_cast<double>(wanted.high) - wanted.low, 1e-30);
    exponent_ = static_cast<int>(std::floor(std::log2(span / kBins))) - 1;
    while (!fits()) ++exponent_;
    first_ = lowest() - 1;
  }
  while (!fits()) coarsen();
  extremes_ = wanted;
  if (lowest() >= first_ && highest() < first_ + kBins) return;
  // The grid moves; what is counted lies inside the extremes and so inside the new one.
  const std::int64_t first = lowest() - 1;
  std::vector<std::uint64_t> moved(static_cast<std::size_t>(kBins), 0);
  for (int i = 0; i < kBins; ++i) {
    if (bins_[static_cast<std::size_t>(i)] == 0) continue;
    moved.at(static_cast<std::size_t>(first_ + i - first)) = bins_[static_cast<std::size_t>(i)];
  }
  bins_ = std::move(moved);
  first_ = first;
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  const auto [low, high] = std::ranges::minmax(values);
  reach({std::min(low, 0.0F), std::max(high, 0.0F)});
  const auto scale = static_cast<float>(1.0 / width());
  const auto first = static_cast<float>(first_);
  std::uint64_t* bins = bins_.data();
  for (const float value : values) {
    // floor(value / width) - first is never negative, so that truncation is floor.
    const float place = std::floor(value * scale) - first;
    ++bins[std::clamp(static_cast<int>(place), 0, kBins - 1)];
  }
  count_ += values.size();
}

void Histogram::add(const Histogram& other) {
  if (other.bins_.empty()) return;
  reach(other.extremes_);
  Histogram copy = other;
  while (exponent_ < copy.exponent_) coarsen();
  while (copy.exponent_ < exponent_) copy.coarsen();
  reach(copy.extremes_);
  while (copy.exponent_ < exponent_) copy.coarsen();
  for (int i = 0; i < kBins; ++i) {
    const std::uint64_t amount = copy.bins_[static_cast<std::size_t>(i)];
    if (amount > 0) bins_.at(static_cast<std::size_t>(copy.first_ + i - first_)) += amount;
  }
  count_ += copy.count_;
}

Range Histogram::percentile(double share) const {
  if (count_ == 0) return {};
  auto left = static_cast<std::uint64_t>((1.0 - share) * static_cast<double>(count_));
  int low = 0;
  int high = kBins - 1;
  const auto at = [&](int i) { return bins_[static_cast<std::size_t>(i)]; };
  while (low < high && at(low) == 0) ++low;
  while (high > low && at(high) == 0) --high;
  while (low < high) {
    const bool is_low = at(low) < at(high);
    const std::uint64_t amount = is_low ? at(low) : at(high);
    if (amount > left) break;
    left -= amount;
    is_low ? ++low : --high;
  }
  const auto edge = [&](int i) {
    return static_cast<float>(static_cast<double>(first_ + i) * width());
  };
  return {std::min(0.0F, std::max(extremes_.low, edge(low))),
          std::max(0.0F, std::min(extremes_.high, edge(high + 1)))};
}

Range Histogram::entropy() const {
  if (count_ == 0) return {};
  int low = 0;
  int high = kBins - 1;
  const auto at = [&](int i) { return static_cast<double>(bins_[static_cast<std::size_t>(i)]); };
  while (low < high && at(low) == 0) ++low;
  while (high > low && at(high) == 0) --high;
  const int zero = static_cast<int>(-first_);  // the bin that begins at 0
  // Divergence of the distribution from what 256 steps over bins [from, to] leave of it.
  const auto divergence = [&](int from, int to) {
    constexpr int kSteps = 256;
    const int bins = to - from + 1;
    const double total = static_cast<double>(count_);
    double below = 0;
    double above = 0;
    for (int i = low; i < from; ++i) below += at(i);
    for (int i = to + 1; i <= high; ++i) above += at(i);
    double result = 0;
    for (int step = 0; step < kSteps; ++step) {
      const int begin = from + static_cast<int>(static_cast<std::int64_t>(step) * bins / kSteps);
      const int end = from + static_cast<int>(static_cast<std::int64_t>(step + 1) * bins / kSteps);
      double sum = 0;
      int filled = 0;
      for (int i = begin; i < end; ++i) {
        sum += at(i);
        if (at(i) > 0) ++filled;
      }
      for (int i = begin; i < end; ++i) {
        if (at(i) <= 0) continue;
        // Clipped values count as being in the outermost bins.
        const double p = (at(i) + (i == from ? below : 0) + (i == to ? above : 0)) / total;
        const double q = sum / filled / total;
        result += p * std::log(p / q);
      }
      // An empty outermost bin that values are clipped into: a large, finite penalty.
      if (begin <= from && from < end && at(from) <= 0 && below > 0) result += below / total * 30;
      if (begin <= to && to < end && at(to) <= 0 && above > 0) result += above / total * 30;
    }
    return result;
  };
  // The upper end first, then the lower, in steps of a 64th; a range keeps 0 inside.
  const auto search = [&](bool is_upper) {
    double least = std::numeric_limits<double>::infinity();
    const int from = low;
    const int to = high;
    const int all = to - from + 1;
    int best = is_upper ? to : from;
    for (int part = 0; part < 60; ++part) {
      const int cut = static_cast<int>(static_cast<std::int64_t>(all) * part / 64);
      const int end = is_upper ? to - cut : from + cut;
      if (is_upper ? end < std::max(zero, from) : end > std::min(zero, to)) break;
      const double value = is_upper ? divergence(from, end) : divergence(end, to);
      if (value < least) {
        least = value;
        best = end;
      }
    }
    return best;
  };
  const int upper = search(true);
  const int lower = search(false);
  const auto edge = [&](int i) {
    return static_cast<float>(static_cast<double>(first_ + i) * width());
  };
  return {std::min(0.0F, std::max(extremes_.low, edge(lower))),
          std::max(0.0F, std::min(extremes_.high, edge(upper + 1)))};
}

}  // namespace andon::model
