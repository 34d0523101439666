// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/letterbox.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace andon::vision {
namespace {

constexpr float kPadding = 114;
constexpr int kWeightOne = 2048;  // OpenCV's INTER_RESIZE_COEF_SCALE

// Python's round(), which the reference uses: halves go to the even neighbour.
int round_half_even(double value) {
  return static_cast<int>(std::nearbyint(value));
}

enum class Beyond { clamp_weight, repeat };

// The positions and fixed-point weights of OpenCV's resize(INTER_LINEAR): pixel centres, computed
// in float, 11 bits. Beyond the last pixel OpenCV clamps the weights of columns, but repeats rows.
// `first` and `count`: which of the scaled pixels.
void make_taps(int source, int scaled, int first, int count, Beyond beyond,
               std::vector<ResizeTap>& taps) {
  const double step = 1.0 / (static_cast<double>(scaled) / source);
  taps.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    auto fraction = static_cast<float>((first + i + 0.5) * step - 0.5);
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
}

// A very long picture would otherwise lose its short side altogether.
int scaled_side(int side, double ratio) {
  return std::max(1, round_half_even(side * ratio));
}

LetterboxPlan plan_crop(LetterboxPlan plan, int resize) {
  const Size source = plan.source;
  const Size target = plan.target;
  // The one side that is asked for, and the other rounded down as torchvision does it.
  const auto other_side = [](int side, int other, int scaled) {
    return static_cast<int>(std::int64_t{scaled} * other / side);
  };
  const bool goes_by_height = resize > 0 ? source.height <= source.width
                                         : std::int64_t{source.width} * target.height >=
                                               std::int64_t{source.height} * target.width;
  if (goes_by_height) {
    plan.scaled.height = resize > 0 ? resize : target.height;
    plan.scaled.width = other_side(source.height, source.width, plan.scaled.height);
  } else {
    plan.scaled.width = resize > 0 ? resize : target.width;
    plan.scaled.height = other_side(source.width, source.height, plan.scaled.width);
  }
  plan.scaled = {std::max(plan.scaled.width, target.width),
                 std::max(plan.scaled.height, target.height)};
  plan.ratio_x = static_cast<double>(plan.scaled.width) / source.width;
  plan.ratio_y = static_cast<double>(plan.scaled.height) / source.height;
  plan.left = -round_half_even((plan.scaled.width - target.width) / 2.0);
  plan.top = -round_half_even((plan.scaled.height - target.height) / 2.0);
  return plan;
}

}  // namespace

LetterboxPlan plan_letterbox(Size source, Size target, Fit fit, int resize) {
  LetterboxPlan plan;
  plan.source = source;
  plan.target = target;
  if (fit == Fit::centre_crop) return plan_crop(plan, resize);
  if (fit == Fit::stretch) {
    plan.scaled = target;
    plan.ratio_x = static_cast<double>(target.width) / source.width;
    plan.ratio_y = static_cast<double>(target.height) / source.height;
    return plan;
  }
  const double ratio = std::min(static_cast<double>(target.height) / source.height,
                                static_cast<double>(target.width) / source.width);
  if (fit == Fit::letterbox_top_left) {
    // YOLOX rounds down, and maps boxes back with the ratio as it was.
    plan.scaled = {std::max(1, static_cast<int>(source.width * ratio)),
                   std::max(1, static_cast<int>(source.height * ratio))};
    plan.ratio_x = ratio;
    plan.ratio_y = ratio;
    return plan;
  }
  plan.scaled.width = scaled_side(source.width, ratio);
  plan.scaled.height = scaled_side(source.height, ratio);
  // Of the rounded sides, as Ultralytics maps boxes back since 8.4.
  plan.ratio_x = static_cast<double>(plan.scaled.width) / source.width;
  plan.ratio_y = static_cast<double>(plan.scaled.height) / source.height;
  plan.left = std::max(0, round_half_even((target.width - plan.scaled.width) / 2.0 - 0.1));
  plan.top = std::max(0, round_half_even((target.height - plan.scaled.height) / 2.0 - 0.1));
  return plan;
}

Size smallest_input(Size source, Size largest, int stride) {
  const LetterboxPlan plan = plan_letterbox(source, largest);
  const auto whole_strides = [&](int side, int scaled) {
    const int spare = (side - scaled) % stride;
    return std::min(side, scaled + spare);
  };
  return {whole_strides(largest.width, plan.scaled.width),
          whole_strides(largest.height, plan.scaled.height)};
}

Letterboxer::Letterboxer(Size target, const Preprocessing& preprocessing,
                         const PixelKernels& kernels)
    : target_(target), preprocessing_(preprocessing), kernels_(kernels), widener_(kernels) {}

void Letterboxer::prepare(const Image& image) {
  const LetterboxPlan plan =
      plan_letterbox(image.full_size(), target_, preprocessing_.fit, preprocessing_.resize);
  if (plan == plan_ && image.size == stored_) return;
  padded_ = nullptr;
  plan_ = plan;
  stored_ = image.size;
  visible_.left = std::max(0, plan.left);
  visible_.top = std::max(0, plan.top);
  visible_.width = std::min(target_.width - visible_.left, plan.scaled.width);
  visible_.height = std::min(target_.height - visible_.top, plan.scaled.height);
  row_.resize(static_cast<std::size_t>(visible_.width) * 3);
  if (preprocessing_.resample != Preprocessing::Resample::opencv) {
    const ResampleWindow window{visible_.left - plan.left, visible_.top - plan.top, visible_.width,
                                visible_.height};
    resampler_.plan(stored_, plan.scaled, window,
                    preprocessing_.resample == Preprocessing::Resample::bicubic
                        ? ResampleFilter::bicubic
                        : ResampleFilter::bilinear);
    return;
  }
  make_taps(stored_.width, plan.scaled.width, visible_.left - plan.left, visible_.width,
            Beyond::clamp_weight, columns_);
  make_taps(stored_.height, plan.scaled.height, visible_.top - plan.top, visible_.height,
            Beyond::repeat, rows_);
  // Columns are used as offsets into a row of bytes.
  for (ResizeTap& tap : columns_) {
    tap.first *= 3;
    tap.second *= 3;
  }
  upper_.resize(row_.size() + kRowSlack);
  lower_.resize(upper_.size());
}

void Letterboxer::pad(const Tensor& tensor) const {
  std::ranges::fill(tensor.squares, static_cast<std::uint8_t>(kPadding));
  const std::size_t plane = tensor.planes.size() / 3;
  for (std::size_t c = 0; c < 3; ++c) {
    const float value =
        (kPadding / preprocessing_.divisor - preprocessing_.mean[c]) / preprocessing_.deviation[c];
    std::fill_n(tensor.planes.data() + c * plane, plane, value);
  }
}

const LetterboxPlan& Letterboxer::fill(const Image& image, std::span<float> tensor) {
  return fill_either(image, {tensor, {}});
}

const LetterboxPlan& Letterboxer::fill(const Image& image, std::span<std::uint8_t> tensor) {
  return fill_either(image, {{}, tensor});
}

const LetterboxPlan& Letterboxer::fill_either(const Image& image, const Tensor& tensor) {
  prepare(image);
  if (padded_ != tensor.memory()) {
    pad(tensor);
    padded_ = tensor.memory();
  }
  if (plan_.scaled == stored_) {
    copy(image, tensor);
  } else if (preprocessing_.resample != Preprocessing::Resample::opencv) {
    resample(image, tensor);
  } else if (stored_.width == 2 * plan_.scaled.width && stored_.height == 2 * plan_.scaled.height) {
    if (image.has_planes && tensor.squares.empty()) {
      mix_and_halve(image, tensor.planes.data());
    } else {
      halve(image, tensor);
    }
  } else {
    scale(image, tensor);
  }
  return plan_;
}

// Where row `y` of what is visible goes: red, green and blue, in whatever order the network has
// them.
std::array<float*, 3> Letterboxer::planes_at(int y, float* tensor) const {
  const auto width = static_cast<std::size_t>(target_.width);
  const std::size_t plane = width * static_cast<std::size_t>(target_.height);
  float* first = tensor + static_cast<std::size_t>(visible_.top + y) * width +
                 static_cast<std::size_t>(visible_.left);
  std::array<float*, 3> planes{first, first + plane, first + 2 * plane};
  if (preprocessing_.channels == Preprocessing::Channels::bgr) std::swap(planes[0], planes[2]);
  return planes;
}

void Letterboxer::standardise(const std::array<float*, 3>& planes) const {
  const bool is_bgr = preprocessing_.channels == Preprocessing::Channels::bgr;
  for (std::size_t c = 0; c < 3; ++c) {
    const float mean = preprocessing_.mean[c];
    const float deviation = preprocessing_.deviation[c];
    if (mean == 0 && deviation == 1) continue;
    float* values = planes[is_bgr ? 2 - c : c];
    for (int x = 0; x < visible_.width; ++x) values[x] = (values[x] - mean) / deviation;
  }
}

// Row `y` of what is visible, as the upper or the lower half of a row of squares.
void Letterboxer::write_squares(const std::uint8_t* rgb, int y, std::uint8_t* tensor) const {
  constexpr std::size_t kPixel = 3;
  constexpr std::size_t kSquare = 4 * kPixel;
  const std::size_t line = static_cast<std::size_t>(visible_.top) + static_cast<std::size_t>(y);
  const auto left = static_cast<std::size_t>(visible_.left);
  const auto width = static_cast<std::size_t>(visible_.width);
  std::uint8_t* to = tensor + line / 2 * (static_cast<std::size_t>(target_.width) / 2 * kSquare) +
                     line % 2 * 2 * kPixel + left / 2 * kSquare;
  const bool is_bgr = preprocessing_.channels == Preprocessing::Channels::bgr;
  const auto write = [&](std::size_t i, std::uint8_t* pixel) {
    for (std::size_t c = 0; c < kPixel; ++c) pixel[is_bgr ? 2 - c : c] = rgb[kPixel * i + c];
  };
  std::size_t i = 0;
  if (left % 2 == 1 && width > 0) {
    write(i++, to + kPixel);
    to += kSquare;
  }
  for (; i + 2 <= width; i += 2, to += kSquare) {
    if (is_bgr) {
      write(i, to);
      write(i + 1, to + kPixel);
    } else {
      std::memcpy(to, rgb + kPixel * i, 2 * kPixel);
    }
  }
  if (i < width) write(i, to);
}

// Row `y` of what is visible.
void Letterboxer::write_row(const std::uint8_t* rgb, int y, const Tensor& tensor) const {
  if (!tensor.squares.empty()) {
    write_squares(rgb, y, tensor.squares.data());
    return;
  }
  const std::array<float*, 3> planes = planes_at(y, tensor.planes.data());
  kernels_.planar_floats(rgb, static_cast<std::size_t>(visible_.width), preprocessing_.divisor,
                         planes);
  standardise(planes);
}

// A row of the picture, valid until the next into the same of the two buffers.
const std::uint8_t* Letterboxer::rgb_row(const Image& image, int y, std::size_t buffer) {
  if (!image.has_planes) return image.row(y);
  std::vector<std::uint8_t>& mixed = mixed_.at(buffer);
  mixed.resize(image.row_bytes());
  kernels_.mix_colours(widener_.row(image, y, buffer), static_cast<std::size_t>(image.size.width),
                       mixed.data());
  return mixed.data();
}

void Letterboxer::copy(const Image& image, const Tensor& tensor) {
  const std::size_t from = static_cast<std::size_t>(visible_.left - plan_.left) * 3;
  for (int y = 0; y < visible_.height; ++y) {
    write_row(rgb_row(image, visible_.top - plan_.top + y) + from, y, tensor);
  }
}

void Letterboxer::scale(const Image& image, const Tensor& tensor) {
  int upper_row = -1;
  int lower_row = -1;
  for (int y = 0; y < visible_.height; ++y) {
    const ResizeTap& row = rows_[static_cast<std::size_t>(y)];
    if (row.first == lower_row) {
      std::swap(upper_, lower_);
      std::swap(upper_row, lower_row);
    }
    if (row.first != upper_row) {
      kernels_.scale_row(rgb_row(image, row.first), image.row_bytes(), columns_, upper_.data());
      upper_row = row.first;
    }
    if (row.second != lower_row) {
      kernels_.scale_row(rgb_row(image, row.second), image.row_bytes(), columns_, lower_.data());
      lower_row = row.second;
    }
    kernels_.blend_rows(upper_.data(), row.first_weight, lower_.data(), row.second_weight,
                        row_.size(), row_.data());
    write_row(row_.data(), y, tensor);
  }
}

void Letterboxer::resample(const Image& image, const Tensor& tensor) {
  int next = 0;
  for (int y = 0; y < visible_.height; ++y) {
    next = std::max(next, resampler_.first_row(y));
    for (; next < resampler_.end_row(y); ++next) resampler_.add_row(next, rgb_row(image, next));
    resampler_.write_row(y, row_.data());
    write_row(row_.data(), y, tensor);
  }
}

// For an exact half OpenCV's INTER_LINEAR takes the mean of four pixels.
void Letterboxer::halve(const Image& image, const Tensor& tensor) {
  const std::size_t from = static_cast<std::size_t>(visible_.left - plan_.left) * 6;
  for (int y = 0; y < visible_.height; ++y) {
    const int scaled_y = visible_.top - plan_.top + y;
    kernels_.halve_rows(rgb_row(image, 2 * scaled_y, 0) + from,
                        rgb_row(image, 2 * scaled_y + 1, 1) + from,
                        static_cast<std::size_t>(visible_.width), row_.data());
    write_row(row_.data(), y, tensor);
  }
}

void Letterboxer::mix_and_halve(const Image& image, float* tensor) {
  const std::size_t from = static_cast<std::size_t>(visible_.left - plan_.left) * 2;
  for (int y = 0; y < visible_.height; ++y) {
    const int upper = 2 * (visible_.top - plan_.top + y);
    const std::array<float*, 3> planes = planes_at(y, tensor);
    kernels_.mix_and_halve(beyond(widener_.row(image, upper, 0), from),
                           beyond(widener_.row(image, upper + 1, 1), from),
                           static_cast<std::size_t>(visible_.width), preprocessing_.divisor,
                           planes);
    standardise(planes);
  }
}

}  // namespace andon::vision
