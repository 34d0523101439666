// SPDX-License-Identifier: Apache-2.0
// The portable inner loops, which the wider ones fall back on for what is left of a row. What each
// does is said in pixel_kernels.hpp. Internal to vision/.
#pragma once

#include "vision/pixels/pixel_kernels.hpp"

namespace andon::vision::portable {

void scale_row(const std::uint8_t* row, std::size_t row_bytes, std::span<const ResizeTap> taps,
               std::int16_t* out);
void blend_rows(const std::int16_t* upper, std::int16_t upper_weight, const std::int16_t* lower,
                std::int16_t lower_weight, std::size_t count, std::uint8_t* out);
void halve_rows(const std::uint8_t* upper, const std::uint8_t* lower, std::size_t pixels,
                std::uint8_t* out);
void planar_floats(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes);
void widen_chroma(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                  ChromaRounding rounding, std::uint8_t* out);
// Its first and its last value, which repeat themselves for want of a neighbour. At least two.
void widen_ends(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                ChromaRounding rounding, std::uint8_t* out);
void mix_colours(const YcbcrRow& row, std::size_t pixels, std::uint8_t* rgb);
void mix_and_halve(const YcbcrRow& upper, const YcbcrRow& lower, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes);

}  // namespace andon::vision::portable
