// SPDX-License-Identifier: Apache-2.0
// Raw formats as text, and frames in whatever format the text says.
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "vision/image/raw.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const andon::vision::RawFormat format = andon::vision::parse_raw_format(text);
    if (format.bytes() > 65'536) return 0;
    andon::vision::Image image;
    decode_raw(std::string(format.bytes(), '\x5A'), "fuzz", format, image);
    if (image.rgb.size() != image.row_bytes() * static_cast<std::size_t>(format.size.height)) {
      std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
