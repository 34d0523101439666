// SPDX-License-Identifier: Apache-2.0
#include "vision/letterbox.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace andon::vision {
namespace {

constexpr std::uint8_t kPadding = 114;
constexpr int kWeightOne = 2048;  // OpenCV's INTER_RESIZE_COEF_SCALE

// Python's round(), which the reference uses: halves go to the even neighbour.
int round_half_even(double value) {
  return static_cast<int>(std::nearbyint(value));
}

enum class Beyond { clamp_weight, repeat };

// The positions and fixed-point weights of OpenCV's resize(INTER_LINEAR): pixel centres, computed
// in float, 11 bits. Beyond the last pixel OpenCV clamps the weights of columns, but repeats rows.
std::vector<ResizeTap> make_taps(int source, int scaled, Beyond beyond) {
  const double step = 1.0 / (static_cast<double>(scaled) / source);
  std::vector<ResizeTap> taps(static_cast<std::size_t>(scaled));
  for (int i = 0; i < scaled; ++i) {
    auto fraction = static_cast<float>((i + 0.5) * step - 0.5);
    int position = static_cast<int>(std::floor(fraction));
    fraction -= static_cast<float>(position);
    if (beyond == Beyond::clamp_weight && position < 0) {
      position = 0;
      fraction = 0;
    }
    if (beyond == Beyond::clamp_weight && position >= source - 1) {
      position = source - 1;
      fraction = 0;
    }
    ResizeTap& tap = taps[static_cast<std::size_t>(i)];
    tap.first = std::clamp(position, 0, source - 1);
    tap.second = std::clamp(position + 1, 0, source - 1);
    tap.first_weight =
        static_cast<std::int16_t>(std::lrintf((1.0F - fraction) * float{kWeightOne}));
    tap.second_weight = static_cast<std::int16_t>(std::lrintf(fraction * float{kWeightOne}));
  }
  return taps;
}

}  // namespace

LetterboxPlan plan_letterbox(Size source, Size target) {
  LetterboxPlan plan;
  plan.source = source;
  plan.target = target;
  plan.ratio = std::min(static_cast<double>(target.height) / source.height,
                        static_cast<double>(target.width) / source.width);
  // A very long picture would otherwise lose its short side altogether.
  plan.scaled.width = std::max(1, round_half_even(source.width * plan.ratio));
  plan.scaled.height = std::max(1, round_half_even(source.height * plan.ratio));
  plan.left = std::max(0, round_half_even((target.width - plan.scaled.width) / 2.0 - 0.1));
  plan.top = std::max(0, round_half_even((target.height - plan.scaled.height) / 2.0 - 0.1));
  return plan;
}

Letterboxer::Letterboxer(Size target, const PixelKernels& kernels)
    : target_(target), kernels_(kernels) {
  canvas_.size = target;
  canvas_.rgb.resize(canvas_.row_bytes() * static_cast<std::size_t>(target.height));
}

void Letterboxer::prepare(const LetterboxPlan& plan) {
  if (plan.source == plan_.source) return;
  plan_ = plan;
  std::fill(canvas_.rgb.begin(), canvas_.rgb.end(), kPadding);
  columns_ = make_taps(plan.source.width, plan.scaled.width, Beyond::clamp_weight);
  rows_ = make_taps(plan.source.height, plan.scaled.height, Beyond::repeat);
  // Columns are used as offsets into a row of bytes.
  for (ResizeTap& tap : columns_) {
    tap.first *= 3;
    tap.second *= 3;
  }
  upper_.resize(static_cast<std::size_t>(plan.scaled.width) * 3 + kRowSlack);
  lower_.resize(upper_.size());
}

LetterboxPlan Letterboxer::fill(const Image& image, std::span<float> tensor) {
  prepare(plan_letterbox(image.size, target_));
  if (plan_.scaled == plan_.source) {
    for (int y = 0; y < plan_.scaled.height; ++y) {
      std::memcpy(canvas_.row(plan_.top + y) + static_cast<std::size_t>(plan_.left) * 3,
                  image.row(y), image.row_bytes());
    }
  } else if (plan_.source.width == 2 * plan_.scaled.width &&
             plan_.source.height == 2 * plan_.scaled.height) {
    halve(image);
  } else {
    scale(image);
  }
  const std::size_t plane = tensor.size() / 3;
  kernels_.planar_unit_floats(canvas_.rgb.data(), plane, tensor.data());
  return plan_;
}

void Letterboxer::scale(const Image& image) {
  const std::size_t width = columns_.size();
  int upper_row = -1;
  int lower_row = -1;
  for (int y = 0; y < plan_.scaled.height; ++y) {
    const ResizeTap& row = rows_[static_cast<std::size_t>(y)];
    if (row.first == lower_row) {
      std::swap(upper_, lower_);
      std::swap(upper_row, lower_row);
    }
    if (row.first != upper_row) {
      kernels_.scale_row(image.row(row.first), image.row_bytes(), columns_, upper_.data());
      upper_row = row.first;
    }
    if (row.second != lower_row) {
      kernels_.scale_row(image.row(row.second), image.row_bytes(), columns_, lower_.data());
      lower_row = row.second;
    }
    std::uint8_t* out = canvas_.row(plan_.top + y) + static_cast<std::size_t>(plan_.left) * 3;
    kernels_.blend_rows(upper_.data(), row.first_weight, lower_.data(), row.second_weight,
                        width * 3, out);
  }
}

// For an exact half OpenCV's INTER_LINEAR takes the mean of four pixels.
void Letterboxer::halve(const Image& image) {
  for (int y = 0; y < plan_.scaled.height; ++y) {
    const std::uint8_t* upper = image.row(2 * y);
    const std::uint8_t* lower = image.row(2 * y + 1);
    std::uint8_t* out = canvas_.row(plan_.top + y) + static_cast<std::size_t>(plan_.left) * 3;
    for (int x = 0; x < plan_.scaled.width; ++x, upper += 6, lower += 6, out += 3) {
      for (int c = 0; c < 3; ++c) {
        out[c] =
            static_cast<std::uint8_t>((upper[c] + upper[c + 3] + lower[c] + lower[c + 3] + 2) >> 2);
      }
    }
  }
}

}  // namespace andon::vision
