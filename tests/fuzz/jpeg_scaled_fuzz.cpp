// SPDX-License-Identifier: Apache-2.0
// JPEG files decoded at less than their size: the picture is never smaller than what it is for.
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "vision/image/decode.hpp"
#include "vision/pixels/letterbox.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::vision;
  if (size < 2) return 0;
  static ImageDecoder decoder({.max_side = 1024, .max_pixels = 65'536});
  const Size input{1 + data[0], 1 + data[1]};
  try {
    const Image& image =
        decoder.decode({reinterpret_cast<const char*>(data + 2), size - 2}, "fuzz", {input});
    const Size scaled = plan_letterbox(image.full_size(), input).scaled;
    const bool is_whole = image.size == image.full_size();
    if (!is_whole && (image.size.width < scaled.width || image.size.height < scaled.height)) {
      std::abort();
    }
    if (image.rgb.size() < image.row_bytes() * static_cast<std::size_t>(image.size.height)) {
      std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
