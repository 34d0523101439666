// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/resample.hpp"

#include <algorithm>
#include <cmath>

#include "vision/pixels/resample_kernels.hpp"

namespace andon::vision {
namespace {

constexpr std::size_t kChannels = 3;

// How far a filter reaches, in pixels of the larger of the two pictures.
double reach(ResampleFilter filter) {
  return filter == ResampleFilter::bilinear ? 1.0 : 2.0;
}

double weight_at(ResampleFilter filter, double distance) {
  const double x = std::abs(distance);
  if (filter == ResampleFilter::bilinear) return x < 1 ? 1 - x : 0;
  constexpr double kSharpness = -0.5;
  if (x < 1) return ((kSharpness + 2) * x - (kSharpness + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kSharpness;
  return 0;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kResampleBits, 0, 255));
}

void scale_columns(const std::uint8_t* row, const ResampleTaps& taps, std::uint8_t* out) {
  for (const ResampleSpan& span : taps.spans) {
    const std::int32_t* weight = taps.weights.data() + span.weights;
    const std::uint8_t* pixel = row + static_cast<std::size_t>(span.first) * kChannels;
    std::int32_t red = kResampleHalf;
    std::int32_t green = kResampleHalf;
    std::int32_t blue = kResampleHalf;
    for (int i = 0; i < span.count; ++i, pixel += kChannels) {
      red += weight[i] * pixel[0];
      green += weight[i] * pixel[1];
      blue += weight[i] * pixel[2];
    }
    *out++ = to_byte(red);
    *out++ = to_byte(green);
    *out++ = to_byte(blue);
  }
}

void mix_rows(const KeptRows& rows, std::span<std::int32_t> sums, std::uint8_t* out) {
  std::fill(sums.begin(), sums.end(), kResampleHalf);
  for (int i = 0; i < rows.count; ++i) {
    const std::int32_t weight = rows.weights[i];
    const std::uint8_t* row = rows.row(i);
    for (std::size_t x = 0; x < rows.row_bytes; ++x) sums[x] += weight * row[x];
  }
  for (std::size_t x = 0; x < rows.row_bytes; ++x) out[x] = to_byte(sums[x]);
}

}  // namespace

const ResampleKernels& portable_resampling() {
  static constexpr ResampleKernels kKernels{scale_columns, mix_rows};
  return kKernels;
}

const ResampleKernels& best_resampling() {
  static const ResampleKernels* const best =
      avx2_resampling() != nullptr ? avx2_resampling() : &portable_resampling();
  return *best;
}

// The weights are those of the distances from the pixel's centre, made one together in floating
// point and only then rounded, halves away from zero.
void ResampleTaps::plan(int source, int scaled, int first, int count, ResampleFilter filter) {
  spans.clear();
  weights.clear();
  const double step = static_cast<double>(source) / scaled;
  const double widening = std::max(step, 1.0);
  const double support = reach(filter) * widening;
  std::vector<double> exact;
  for (int i = first; i < first + count; ++i) {
    const double centre = (i + 0.5) * step;
    const int begin = std::max(0, static_cast<int>(std::floor(centre - support + 0.5)));
    const int end = std::min(source, static_cast<int>(std::floor(centre + support + 0.5)));
    exact.clear();
    double total = 0;
    for (int at = begin; at < end; ++at) {
      exact.push_back(weight_at(filter, (at - centre + 0.5) * (1 / widening)));
      total += exact.back();
    }
    spans.push_back({begin, end - begin, weights.size()});
    for (const double weight : exact) {
      const double scaled_weight = (total != 0 ? weight / total : weight) * (1 << kResampleBits);
      weights.push_back(
          static_cast<std::int32_t>(scaled_weight < 0 ? scaled_weight - 0.5 : scaled_weight + 0.5));
    }
  }
}

// Pillow scales columns first, since version 13 but where the height loses more than twice what the
// width loses.
void Resampler::plan(Size source, Size scaled, const ResampleWindow& window,
                     ResampleFilter filter) {
  columns_.plan(source.width, scaled.width, window.left, window.width, filter);
  rows_.plan(source.height, scaled.height, window.top, window.height, filter);
  const int lost_rows = source.height - scaled.height;
  rows_first_ = lost_rows > 0 && lost_rows > 2 * (source.width - scaled.width);
  row_bytes_ = static_cast<std::size_t>(rows_first_ ? source.width : window.width) * kChannels;
  kept_ = 1;
  for (const ResampleSpan& span : rows_.spans) kept_ = std::max(kept_, span.count);
  rows_kept_.resize(row_bytes_ * static_cast<std::size_t>(kept_));
  mixed_.resize(rows_first_ ? row_bytes_ : 0);
  sums_.resize(row_bytes_);
}

int Resampler::first_row(int y) const {
  return rows_.spans[static_cast<std::size_t>(y)].first;
}

int Resampler::end_row(int y) const {
  const ResampleSpan& span = rows_.spans[static_cast<std::size_t>(y)];
  return span.first + span.count;
}

std::size_t Resampler::kept_row(int source_y) const {
  return static_cast<std::size_t>(source_y % kept_) * row_bytes_;
}

void Resampler::add_row(int source_y, const std::uint8_t* rgb) {
  std::uint8_t* kept = rows_kept_.data() + kept_row(source_y);
  if (rows_first_) {
    std::copy_n(rgb, row_bytes_, kept);
  } else {
    scale_columns(rgb, kept);
  }
}

void Resampler::write_row(int y, std::uint8_t* rgb) {
  if (rows_first_) {
    mix_rows(y, mixed_.data());
    scale_columns(mixed_.data(), rgb);
  } else {
    mix_rows(y, rgb);
  }
}

void Resampler::scale_columns(const std::uint8_t* from, std::uint8_t* to) const {
  best_resampling().scale_columns(from, columns_, to);
}

void Resampler::mix_rows(int y, std::uint8_t* to) {
  const ResampleSpan& span = rows_.spans[static_cast<std::size_t>(y)];
  best_resampling().mix_rows({rows_kept_.data(), row_bytes_, kept_, span.first,
                              rows_.weights.data() + span.weights, span.count},
                             sums_, to);
}

}  // namespace andon::vision
