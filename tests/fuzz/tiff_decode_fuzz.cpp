// SPDX-License-Identifier: Apache-2.0
// TIFF files and BigTIFFs of either byte order, and the compressions by themselves.
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "vision/image/decode.hpp"
#include "vision/image/tiff_compression.hpp"

using andon::vision::TiffCompression;
using std::operator""sv;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static andon::vision::ImageDecoder decoder({.max_side = 1024, .max_pixels = 65'536});
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  constexpr std::array kStarts{"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv};
  const std::string bytes = std::string(kStarts.at(data[0] % kStarts.size())) + std::string(rest);
  try {
    const andon::vision::Image& image = decoder.decode(bytes, "fuzz");
    if (image.rgb.size() < image.row_bytes() * static_cast<std::size_t>(image.size.height)) {
      std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  std::vector<std::uint8_t> unpacked(static_cast<std::size_t>(data[0]) * 16);
  for (const TiffCompression compression :
       {TiffCompression::lzw, TiffCompression::pack_bits, TiffCompression::deflate}) {
    if (unpack_tiff(compression, rest, unpacked) > unpacked.size()) std::abort();
  }
  return 0;
}
