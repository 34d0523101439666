// SPDX-License-Identifier: Apache-2.0
// The picture formats behind ImageDecoder, one codec each. Internal to vision/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vision/image/exif.hpp"
#include "vision/pixels/image.hpp"

namespace andon::vision {

// Throws when a picture of that size must not be decoded; called before anything is allocated.
using SizeCheck = std::function<void(Size)>;

class JpegCodec {
 public:
  struct Freedom {
    // At half, a quarter or an eighth of its size where that is not less than this (0x0: never).
    Size least;
    bool may_give_planes = false;
  };
  // `check` may change `freedom`. A picture of which nothing but the end is wrong is taken, with a
  // warning.
  void decode(std::string_view bytes, std::string_view name, const SizeCheck& check,
              const Freedom& freedom, Image& into);
  // What was wrong with the last picture that was taken; mostly nothing.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  struct Header {
    Size size;
    int subsampling = 0;
    int colour_space = 0;
  };
  struct HandleCloser {
    void operator()(void* handle) const;
  };

  void need_handle();
  [[nodiscard]] bool decode_pixels(std::string_view bytes, const Header& header, Image& into);
  [[nodiscard]] bool decode_mended(std::string_view bytes, const Header& header, Image& into);
  [[nodiscard]] int decode_planes(std::string_view bytes, const Header& header, Image& into);
  [[nodiscard]] int decode_rgb(std::string_view bytes, const Header& header, Image& into);
  [[nodiscard]] std::string take_error();

  std::unique_ptr<void, HandleCloser> handle_;  // tjhandle; made when first needed
  std::vector<std::uint8_t> cmyk_;
  std::string warning_;
};

// These give the orientation that the file says: the picture is to be turned by it.
[[nodiscard]] Orientation decode_png(std::string_view bytes, std::string_view name,
                                     const SizeCheck& check, Image& into);
[[nodiscard]] Orientation decode_tiff(std::string_view bytes, std::string_view name,
                                      const SizeCheck& check, Image& into);
void decode_bmp(std::string_view bytes, std::string_view name, const SizeCheck& check, Image& into);

}  // namespace andon::vision
