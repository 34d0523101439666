// SPDX-License-Identifier: Apache-2.0
// Pictures from files: JPEG (libjpeg-turbo), PNG (libpng), BMP and TIFF to 8-bit RGB. The format is
// told by the content, never by the name. Grey, palette, CMYK and 16-bit pictures become RGB as
// OpenCV's imread makes them; alpha is dropped; the orientation that the file says is applied.
// A decoder keeps its buffers between pictures and belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "vision/pixels/image.hpp"

namespace andon::vision {

struct DecodeLimits {
  int max_side = 16'384;
  std::int64_t max_pixels = 100'000'000;
};

// What a decoder may do to be faster.
struct DecodeHint {
  // The network's, into which the picture will be letterboxed. A JPEG that is much larger may be
  // decoded at a half, a quarter or an eighth of its size: other pixels than those of scaling the
  // whole, so that scores move (docs/measurements.md). 0x0: decode it whole.
  Size input{};
  // May the picture come as planes, which Letterboxer takes? A third less time for most JPEGs; what
  // the Letterboxer makes of them is the same, bit for bit.
  enum class Colours : std::uint8_t { mixed, may_be_planes } colours = Colours::mixed;
};

// Does a file of this name count as a picture (.jpg, .jpeg, .png, .bmp, .tif, .tiff,
// upper or lower case, not hidden)? What it is
// is told by its content; this tells what a directory of pictures holds besides them.
[[nodiscard]] bool is_image_name(std::string_view name);

class ImageDecoder {
 public:
  explicit ImageDecoder(DecodeLimits limits = {});
  ImageDecoder(const ImageDecoder&) = delete;
  ImageDecoder& operator=(const ImageDecoder&) = delete;
  ~ImageDecoder();

  // The picture is valid until the next call. `name` is the file's name for error messages.
  // Throws invalid_argument (empty, no known format, over the limits; nothing was allocated for
  // it) and data_corrupted (truncated or damaged: a picture of which a part is missing is never
  // passed on). A JPEG that only ends wrongly, with all of its pixels, is taken with a warning().
  const Image& decode(std::string_view bytes, std::string_view name, const DecodeHint& hint = {});

  // What is wrong with the last picture that was taken, for people; mostly empty. Valid until the
  // next call of decode.
  [[nodiscard]] std::string_view warning() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::vision
