// SPDX-License-Identifier: Apache-2.0
// The metadata texts of ONNX files: read, or refused with a base::Error.
#include <cstdlib>

#include "base/error/error.hpp"
#include "vision/heads/metadata.hpp"

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
  try {
    if (andon::vision::parse_keypoint_shape(text).size() > 3'000) std::abort();
  } catch (const andon::base::Error&) {
  }
  (void)andon::vision::parse_flag(text, "nms");
  try {
    if (andon::vision::parse_stride(text) < 1) std::abort();
  } catch (const andon::base::Error&) {
  }
  return 0;
}
