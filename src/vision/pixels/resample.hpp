// SPDX-License-Identifier: Apache-2.0
// Scaling of 8-bit RGB pictures with a filter as wide as the pixels that it makes, so that small
// pictures of large ones have no moiré: what Pillow 13's resize() does, byte for byte. Rows are
// given one after another, so that nobody needs the whole picture at once. Internal to vision/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vision/pixels/image.hpp"

namespace andon::vision {

enum class ResampleFilter : std::uint8_t { bilinear, bicubic };

// The part of a scaled picture that is wanted.
struct ResampleWindow {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

// Which source pixels make one pixel, along one side.
struct ResampleSpan {
  int first = 0;
  int count = 0;
  std::size_t weights = 0;  // where they begin
};
struct ResampleTaps {
  std::vector<ResampleSpan> spans;    // one for each pixel that is wanted
  std::vector<std::int32_t> weights;  // of 2^22 together
  void plan(int source, int scaled, int first, int count, ResampleFilter filter);
};

// Keeps its buffers between pictures; belongs to one thread at a time.
class Resampler {
 public:
  void plan(Size source, Size scaled, const ResampleWindow& window, ResampleFilter filter);

  // Row `y` of the window needs the source's rows [first_row(y), end_row(y)); add_row() each of
  // them once, in rising order, before write_row(y), and go through the window downwards.
  [[nodiscard]] int first_row(int y) const;
  [[nodiscard]] int end_row(int y) const;
  void add_row(int source_y, const std::uint8_t* rgb);
  void write_row(int y, std::uint8_t* rgb);

 private:
  [[nodiscard]] std::size_t kept_row(int source_y) const;
  void scale_columns(const std::uint8_t* from, std::uint8_t* to) const;
  void mix_rows(int y, std::uint8_t* to);

  ResampleTaps columns_;
  ResampleTaps rows_;
  bool rows_first_ = false;    // the bytes in between differ a little by what is done first
  std::size_t row_bytes_ = 0;  // of what is kept
  int kept_ = 1;               // rows of the source that are needed at once
  std::vector<std::uint8_t> rows_kept_;  // in a ring
  std::vector<std::uint8_t> mixed_;      // where rows are first
  std::vector<std::int32_t> sums_;
};

}  // namespace andon::vision
