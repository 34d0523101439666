// SPDX-License-Identifier: Apache-2.0
// The inner loops between a decoder and a tensor, each in a portable form and in wider ones (AVX2
// and AVX-512 on x86-64, NEON on ARM) that give the same values; the best is chosen when the
// program starts. Internal to vision/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace andon::vision {

// One output column or row: two neighbours and their weights, of 2048 together. For columns the
// neighbours are byte offsets into a row and `second` is `first` + 3, or its weight is 0.
struct ResizeTap {
  std::int32_t first;
  std::int32_t second;
  std::int16_t first_weight;
  std::int16_t second_weight;
};

// A row of a YCbCr picture, each of the three with a byte a pixel.
struct YcbcrRow {
  const std::uint8_t* luma;
  const std::uint8_t* blue;
  const std::uint8_t* red;
};

// What is left of a row after its first `pixels`.
[[nodiscard]] inline YcbcrRow beyond(const YcbcrRow& row, std::size_t pixels) {
  return {row.luma + pixels, row.blue + pixels, row.red + pixels};
}

// What libjpeg adds before it drops the last four bits of a chroma value between two others.
struct ChromaRounding {
  std::int16_t even;
  std::int16_t odd;
};

struct PixelKernels {
  std::string_view name;

  // Scales an RGB row of `row_bytes` to taps.size() pixels; values are 128 times a byte. May write
  // kRowSlack values beyond the last pixel.
  void (*scale_row)(const std::uint8_t* row, std::size_t row_bytes, std::span<const ResizeTap> taps,
                    std::int16_t* out);

  // Blends two rows made by scale_row() to `count` bytes.
  void (*blend_rows)(const std::int16_t* upper, std::int16_t upper_weight,
                     const std::int16_t* lower, std::int16_t lower_weight, std::size_t count,
                     std::uint8_t* out);

  // `pixels` RGB pixels, each the mean of two by two.
  void (*halve_rows)(const std::uint8_t* upper, const std::uint8_t* lower, std::size_t pixels,
                     std::uint8_t* out);

  // Interleaved RGB bytes to planes of floats: each byte divided by `divisor`.
  void (*planar_floats)(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                        const std::array<float*, 3>& planes);

  // Chroma of half the columns brought to all of them, as libjpeg's "fancy upsampling" has it: 3/4
  // of the nearer and 1/4 of the farther value, in both directions. `near` is the row above or
  // below `row`, or `row` itself. Writes 2 * count bytes.
  void (*widen_chroma)(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                       ChromaRounding rounding, std::uint8_t* out);

  // JFIF's YCbCr to RGB, rounded as libjpeg does it.
  void (*mix_colours)(const YcbcrRow& row, std::size_t pixels, std::uint8_t* rgb);

  // mix_colours() of two rows, then halve_rows() and planar_floats() to `pixels` pixels, in one.
  void (*mix_and_halve)(const YcbcrRow& upper, const YcbcrRow& lower, std::size_t pixels,
                        float divisor, const std::array<float*, 3>& planes);
};
inline constexpr std::size_t kRowSlack = 8;

[[nodiscard]] const PixelKernels& portable_kernels();
// The widest that this processor has.
[[nodiscard]] const PixelKernels& best_kernels();
// All that this processor can run, the portable ones first.
[[nodiscard]] std::vector<const PixelKernels*> usable_kernels();

// Those of one architecture, each in its own file; null where this is not it, or where the
// processor lacks them.
[[nodiscard]] const PixelKernels* avx2_kernels();
[[nodiscard]] const PixelKernels* avx512_kernels();
[[nodiscard]] const PixelKernels* neon_kernels();

}  // namespace andon::vision
