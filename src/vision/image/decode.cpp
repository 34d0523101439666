// SPDX-License-Identifier: Apache-2.0
#include "vision/image/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "vision/image/codecs.hpp"
#include "vision/image/exif.hpp"
#include "vision/pixels/letterbox.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;
using std::operator""sv;

bool is_image_name(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || name.starts_with('.')) return false;
  const std::string extension = base::to_lower(name.substr(dot));
  constexpr std::array<std::string_view, 6> kKnown{".jpg", ".jpeg", ".png",
                                                   ".bmp", ".tif",  ".tiff"};
  return std::find(kKnown.begin(), kKnown.end(), extension) != kKnown.end();
}

class ImageDecoder::Implementation {
 public:
  explicit Implementation(DecodeLimits limits) : limits_(limits) {}

  const Image& decode(std::string_view bytes, std::string_view name, const DecodeHint& hint) {
    if (bytes.empty()) {
      throw Error(ErrorCode::invalid_argument, fmt::format("{} is empty (0 bytes)", name));
    }
    name_ = name;
    warning_ = {};
    freedom_ = {};
    image_.full = {};
    image_.has_planes = false;
    if (bytes.starts_with("\xFF\xD8\xFF"sv)) {
      const Orientation orientation = read_orientation(bytes);
      hint_ = hint.input;
      is_turned_ = orientation >= Orientation::transposed;
      freedom_.may_give_planes =
          orientation == Orientation::upright && hint.colours == DecodeHint::Colours::may_be_planes;
      jpeg_.decode(bytes, name, check_, freedom_, image_);
      warning_ = jpeg_.warning();
      if (image_.size != full_) image_.full = full_;
      make_upright(image_, spare_, orientation);
      return image_;
    }
    hint_ = {};
    if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) {
      make_upright(image_, spare_, decode_png(bytes, name, check_, image_));
    } else if (is_tiff(bytes)) {
      make_upright(image_, spare_, decode_tiff(bytes, name, check_, image_));
    } else if (bytes.starts_with("BM") && bytes.size() >= kLeastBmp) {
      decode_bmp(bytes, name, check_, image_);
    } else {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} is neither JPEG, PNG, BMP nor TIFF: {}", name, guess(bytes)));
    }
    return image_;
  }

  [[nodiscard]] std::string_view warning() const { return warning_; }

 private:
  static constexpr std::size_t kLeastBmp = 26;

  void check_size(Size size) {
    const std::string_view name = name_;
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
    full_ = size;
    if (hint_.width < 1 || hint_.height < 1) return;
    const Size input = is_turned_ ? Size{hint_.height, hint_.width} : hint_;
    freedom_.least = plan_letterbox(size, input).scaled;
  }

  // Also BigTIFF.
  static bool is_tiff(std::string_view bytes) {
    return bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv) ||
           bytes.starts_with("II+\0"sv) || bytes.starts_with("MM\0+"sv);
  }

  static std::string guess(std::string_view bytes) {
    if (bytes.starts_with("GIF8")) return "it is a GIF, which may be animated; save it as PNG";
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
  // One for all pictures: it notes what it was asked, for the one being decoded.
  const SizeCheck check_ = [this](Size size) { check_size(size); };
  std::string_view name_;
  std::string_view warning_;  // of the codec
  Size hint_;
  bool is_turned_ = false;
  Size full_;
  JpegCodec::Freedom freedom_;
  JpegCodec jpeg_;
  Image image_;
  Image spare_;
};

ImageDecoder::ImageDecoder(DecodeLimits limits)
    : implementation_(std::make_unique<Implementation>(limits)) {}
ImageDecoder::~ImageDecoder() = default;

const Image& ImageDecoder::decode(std::string_view bytes, std::string_view name,
                                  const DecodeHint& hint) {
  return implementation_->decode(bytes, name, hint);
}

std::string_view ImageDecoder::warning() const {
  return implementation_->warning();
}

}  // namespace andon::vision
