// SPDX-License-Identifier: Apache-2.0
// Frames as cameras put them out, without a header: grey, RGB, or one colour a pixel behind a Bayer
// mosaic. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vision/pixels/image.hpp"

namespace andon::vision {

struct RawFormat {
  Size size;
  enum class Layout : std::uint8_t { mono, rgb, bgr, rggb, bggr, grbg, gbrg } layout = Layout::mono;
  int bits = 8;  // a sample
  // Packed samples follow each other without a gap, also from row to row.
  enum class Packing : std::uint8_t {
    none,  // a byte, or two with the low one first
    lsb,   // GenICam's "p": a stream of bits, the lowest first
    gige,  // GigE Vision's "Packed": high byte, low bits of two, high byte
  } packing = Packing::none;

  [[nodiscard]] std::size_t bytes() const;
  bool operator==(const RawFormat&) const = default;
};

// "1280x1024:mono8", "2448x2048:rggb12p": mono, rgb, bgr, or the first two rows' colours of a
// mosaic, with 8, 10, 12, 14 or 16 bits, and how they are packed. GenICam's names (BayerRG12p) mean
// the same. Throws invalid_argument saying what is understood.
[[nodiscard]] RawFormat parse_raw_format(std::string_view text);

// Into `into`, whose memory is used again. A mosaic is filled in by the mean of the neighbours of
// each colour. Throws data_corrupted where there are not format.bytes() bytes.
void decode_raw(std::string_view bytes, std::string_view name, const RawFormat& format,
                Image& into);

}  // namespace andon::vision
