// SPDX-License-Identifier: Apache-2.0
// The lossless compressions of TIFF 6.0 and its supplements. Pure; any thread. Internal to vision/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace andon::vision {

enum class TiffCompression : std::uint32_t {
  none = 1,
  lzw = 5,
  deflate = 8,
  pack_bits = 32'773,
  old_deflate = 32'946,
};

// Fills `out` as far as the data go, never beyond; how many bytes were written. Damaged data end
// early.
[[nodiscard]] std::size_t unpack_tiff(TiffCompression compression, std::string_view packed,
                                      std::span<std::uint8_t> out);

}  // namespace andon::vision
