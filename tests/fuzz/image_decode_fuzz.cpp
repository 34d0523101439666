// SPDX-License-Identifier: Apache-2.0
// Pictures as they come from a camera or a stranger: decoded whole, or refused with a base::Error.
#include <cstdlib>

#include "base/error/error.hpp"
#include "vision/image/decode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Small, so that the time goes into parsing and not into pixels.
  static andon::vision::ImageDecoder decoder({.max_side = 1024, .max_pixels = 65'536});
  try {
    const andon::vision::Image& image =
        decoder.decode({reinterpret_cast<const char*>(data), size}, "fuzz");
    const auto pixels =
        static_cast<std::size_t>(image.size.width) * static_cast<std::size_t>(image.size.height);
    if (pixels == 0 || pixels > 65'536 || image.rgb.size() < pixels * 3) std::abort();
  } catch (const andon::base::Error&) {
  }
  return 0;
}
