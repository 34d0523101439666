// SPDX-License-Identifier: Apache-2.0
// The metadata texts of ONNX files: read, or refused with a base::Error.
#include <cstdlib>

#include "base/error.hpp"
#include "vision/metadata.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    if (andon::vision::parse_names(text).size() > 10'000) std::abort();
  } catch (const andon::base::Error&) {
  }
  try {
    const andon::vision::Size read = andon::vision::parse_image_size(text);
    if (read.width < 1 || read.height < 1) std::abort();
  } catch (const andon::base::Error&) {
  }
  return 0;
}
