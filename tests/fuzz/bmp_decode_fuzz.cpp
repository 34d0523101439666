// SPDX-License-Identifier: Apache-2.0
// BMP files: the two letters that every input must begin with are put in front.
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "vision/image/decode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static andon::vision::ImageDecoder decoder({.max_side = 1024, .max_pixels = 65'536});
  const std::string bytes = "BM" + std::string(reinterpret_cast<const char*>(data), size);
  try {
    const andon::vision::Image& image = decoder.decode(bytes, "fuzz");
    if (image.rgb.size() < image.row_bytes() * static_cast<std::size_t>(image.size.height)) {
      std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
