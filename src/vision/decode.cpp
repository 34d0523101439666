// SPDX-License-Identifier: Apache-2.0
#include "vision/decode.hpp"

#include <fmt/format.h>

#include <string>

#include "base/error.hpp"
#include "vision/codecs.hpp"
#include "vision/exif.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;
using std::operator""sv;

bool is_image_name(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || name.starts_with('.')) return false;
  std::string extension(name.substr(dot));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

class ImageDecoder::Implementation {
 public:
  explicit Implementation(DecodeLimits limits) : limits_(limits) {}

  const Image& decode(std::string_view bytes, std::string_view name) {
    if (bytes.empty()) {
      throw Error(ErrorCode::invalid_argument, fmt::format("{} is empty (0 bytes)", name));
    }
    const SizeCheck check = [&](Size size) { check_size(size, name); };
    if (bytes.starts_with("\xFF\xD8\xFF"sv)) {
      jpeg_.decode(bytes, name, check, image_);
      make_upright(image_, spare_, read_orientation(bytes));
    } else if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) {
      decode_png(bytes, name, check, image_);
    } else {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} is neither JPEG nor PNG: {}", name, guess(bytes)));
    }
    return image_;
  }

 private:
  void check_size(Size size, std::string_view name) const {
    if (size.width < 1 || size.height < 1) {
      throw Error(ErrorCode::invalid_argument, fmt::format("{} has no pixels", name));
    }
    const auto pixels = std::int64_t{size.width} * size.height;
    if (size.width > limits_.max_side || size.height > limits_.max_side ||
        pixels > limits_.max_pixels) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} is too large: {}x{} pixels; at most {} a side and {} million in "
                              "all are accepted",
                              name, size.width, size.height, limits_.max_side,
                              limits_.max_pixels / 1'000'000));
    }
  }

  static std::string guess(std::string_view bytes) {
    if (bytes.starts_with("GIF8")) return "it is a GIF";
    if (bytes.starts_with("BM")) return "it looks like a BMP";
    if (bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv)) return "it is a TIFF";
    if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return "it is a WebP";
    for (const char c : bytes.substr(0, 64)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') {
        return "its format is not known";
      }
    }
    return "it looks like text";
  }

  DecodeLimits limits_;
  JpegCodec jpeg_;
  Image image_;
  Image spare_;
};

ImageDecoder::ImageDecoder(DecodeLimits limits)
    : implementation_(std::make_unique<Implementation>(limits)) {}
ImageDecoder::~ImageDecoder() = default;

const Image& ImageDecoder::decode(std::string_view bytes, std::string_view name) {
  return implementation_->decode(bytes, name);
}

}  // namespace andon::vision
