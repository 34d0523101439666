// SPDX-License-Identifier: Apache-2.0
// The two inner loops of resampling, in a portable form and in one for AVX2 that gives the same
// bytes. Internal to vision/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vision/pixels/resample.hpp"

namespace andon::vision {

// Rows of source bytes in a ring, some of which make one row.
struct KeptRows {
  const std::uint8_t* ring;
  std::size_t row_bytes;
  int kept;   // rows in the ring
  int first;  // row of the source
  const std::int32_t* weights;
  int count;
  [[nodiscard]] const std::uint8_t* row(int i) const {
    return ring + static_cast<std::size_t>((first + i) % kept) * row_bytes;
  }
};

struct ResampleKernels {
  // One row of RGB pixels to a pixel for each of the spans.
  void (*scale_columns)(const std::uint8_t* row, const ResampleTaps& taps, std::uint8_t* out);
  // `sums` has room for a row.
  void (*mix_rows)(const KeptRows& rows, std::span<std::int32_t> sums, std::uint8_t* out);
};

inline constexpr int kResampleBits = 22;
inline constexpr std::int32_t kResampleHalf = 1 << (kResampleBits - 1);

[[nodiscard]] const ResampleKernels& portable_resampling();
[[nodiscard]] const ResampleKernels* avx2_resampling();  // null where it is not to be had
[[nodiscard]] const ResampleKernels& best_resampling();

}  // namespace andon::vision
