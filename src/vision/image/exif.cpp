// SPDX-License-Identifier: Apache-2.0
#include "vision/image/exif.hpp"

#include <cstring>
#include <optional>
#include <utility>

#include "vision/image/jpeg_structure.hpp"

namespace andon::vision {
namespace {

using std::operator""sv;

std::uint32_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

// The TIFF structure inside an EXIF segment.
class Tiff {
 public:
  static std::optional<Tiff> open(std::string_view bytes) {
    if (bytes.size() < 8) return std::nullopt;
    if (bytes.starts_with("II*\0"sv)) return Tiff(bytes, false);
    if (bytes.starts_with("MM\0*"sv)) return Tiff(bytes, true);
    return std::nullopt;
  }

  std::optional<Orientation> orientation() const {
    const std::size_t directory = number(4, 4);
    if (directory > bytes_.size() - 2) return std::nullopt;
    const std::size_t count = number(directory, 2);
    constexpr std::size_t kEntryBytes = 12;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t entry = directory + 2 + i * kEntryBytes;
      if (entry + kEntryBytes > bytes_.size()) return std::nullopt;
      constexpr std::uint32_t kOrientationTag = 0x0112;
      if (number(entry, 2) != kOrientationTag) continue;
      const std::uint32_t value = number(entry + 8, 2);
      if (value < 1 || value > 8) return std::nullopt;
      return static_cast<Orientation>(value);
    }
    return std::nullopt;
  }

 private:
  Tiff(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::uint32_t number(std::size_t at, std::size_t length) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      value = (value << 8U) | byte_at(bytes_, big_endian_ ? at + i : at + length - 1 - i);
    }
    return value;
  }

  std::string_view bytes_;
  bool big_endian_;
};

// Where the pixel (x, y) of the upright picture lies in the stored one.
std::pair<int, int> stored_place(Orientation orientation, Size stored, int x, int y) {
  const int right = stored.width - 1;
  const int bottom = stored.height - 1;
  switch (orientation) {
    case Orientation::upright:
      return {x, y};
    case Orientation::mirrored:
      return {right - x, y};
    case Orientation::upside_down:
      return {right - x, bottom - y};
    case Orientation::flipped:
      return {x, bottom - y};
    case Orientation::transposed:
      return {y, x};
    case Orientation::turn_right:
      return {y, bottom - x};
    case Orientation::transversed:
      return {right - y, bottom - x};
    case Orientation::turn_left:
      return {right - y, x};
  }
  return {x, y};
}

}  // namespace

Orientation read_orientation(std::string_view jpeg) {
  constexpr std::string_view kExif = "Exif\0\0"sv;
  JpegSegments segments(jpeg);
  while (const auto segment = segments.next()) {
    if (segment->marker == jpeg_marker::kStartOfScan) break;
    if (segment->marker == jpeg_marker::kApp1 && segment->content.starts_with(kExif)) {
      return read_exif_orientation(segment->content.substr(kExif.size()));
    }
  }
  return Orientation::upright;
}

Orientation read_exif_orientation(std::string_view exif) {
  const auto tiff = Tiff::open(exif);
  if (!tiff) return Orientation::upright;
  return tiff->orientation().value_or(Orientation::upright);
}

void make_upright(Image& image, Image& spare, Orientation orientation) {
  if (orientation == Orientation::upright) return;
  const bool turned = orientation >= Orientation::transposed;
  const Size stored = image.size;
  spare.size = turned ? Size{stored.height, stored.width} : stored;
  spare.full = turned ? Size{image.full.height, image.full.width} : image.full;
  spare.rgb.resize(image.rgb.size());
  for (int y = 0; y < spare.size.height; ++y) {
    std::uint8_t* out = spare.row(y);
    for (int x = 0; x < spare.size.width; ++x, out += 3) {
      const auto [from_x, from_y] = stored_place(orientation, stored, x, y);
      std::memcpy(out, image.row(from_y) + static_cast<std::size_t>(from_x) * 3, 3);
    }
  }
  std::swap(image, spare);
}

}  // namespace andon::vision
