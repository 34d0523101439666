// SPDX-License-Identifier: Apache-2.0
// The picture formats behind ImageDecoder, one codec each. Internal to vision/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vision/exif.hpp"
#include "vision/image.hpp"

namespace andon::vision {

// Throws when a picture of that size must not be decoded; called before anything is allocated.
using SizeCheck = std::function<void(Size)>;

class JpegCodec {
 public:
  // At half, a quarter or an eighth of its size where that is not less than `least` (0x0: never),
  // which `check` may have set.
  void decode(std::string_view bytes, std::string_view name, const SizeCheck& check,
              const Size& least, Image& into);

 private:
  struct HandleCloser {
    void operator()(void* handle) const;
  };

  [[nodiscard]] std::string take_error();

  std::unique_ptr<void, HandleCloser> handle_;  // tjhandle; made when first needed
  std::vector<std::uint8_t> cmyk_;
};

// These give the orientation that the file says: the picture is to be turned by it.
[[nodiscard]] Orientation decode_png(std::string_view bytes, std::string_view name,
                                     const SizeCheck& check, Image& into);
[[nodiscard]] Orientation decode_tiff(std::string_view bytes, std::string_view name,
                                      const SizeCheck& check, Image& into);
void decode_bmp(std::string_view bytes, std::string_view name, const SizeCheck& check, Image& into);

}  // namespace andon::vision
