// SPDX-License-Identifier: Apache-2.0
// JPEG files decoded to planes: refused where decoding to RGB refuses, and the network sees the
// same.
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/error/error.hpp"
#include "vision/image/decode.hpp"
#include "vision/pixels/letterbox.hpp"

namespace {

using namespace andon::vision;

// What the network would see; nothing if the picture is refused.
std::optional<std::vector<float>> look(ImageDecoder& decoder, std::string_view bytes,
                                       DecodeHint::Colours colours) {
  try {
    const Image& image = decoder.decode(bytes, "fuzz", {.colours = colours});
    const Size half{(image.size.width + 1) / 2, (image.size.height + 1) / 2};
    std::vector<float> seen;
    for (const Size target : {image.size, half, Size{24, 40}}) {
      std::vector<float> tensor(3 * static_cast<std::size_t>(target.width) *
                                static_cast<std::size_t>(target.height));
      Letterboxer letterboxer(target);
      (void)letterboxer.fill(image, tensor);
      seen.insert(seen.end(), tensor.begin(), tensor.end());
    }
    return seen;
  } catch (const andon::base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ImageDecoder mixed({.max_side = 1024, .max_pixels = 16'384});
  static ImageDecoder planar({.max_side = 1024, .max_pixels = 16'384});
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (look(mixed, bytes, DecodeHint::Colours::mixed) !=
      look(planar, bytes, DecodeHint::Colours::may_be_planes)) {
    std::abort();
  }
  return 0;
}
