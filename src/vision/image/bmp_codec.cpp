// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdlib>

#include "base/error/error.hpp"
#include "vision/image/byte_reader.hpp"
#include "vision/image/codecs.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kPlain = 0;
constexpr std::uint32_t kRle8 = 1;
constexpr std::uint32_t kRle4 = 2;
constexpr std::uint32_t kBitFields = 3;
constexpr std::uint32_t kAlphaBitFields = 6;

struct Header {
  Size size;
  bool is_top_down = false;
  std::uint32_t bits = 0;  // a pixel
  std::uint32_t compression = kPlain;
  std::size_t pixels = 0;  // where they begin
  std::size_t palette = 0;
  std::size_t palette_entry = 4;
  std::size_t colours = 0;
  std::array<std::uint32_t, 3> masks{};  // of 16 and 32 bits: red, green, blue

  [[nodiscard]] bool is_packed() const { return compression == kRle8 || compression == kRle4; }
};

class BmpDecoder {
 public:
  BmpDecoder(std::string_view bytes, std::string_view name)
      : reader_(bytes, ByteReader::Order::little, fmt::format("{} as a BMP", name)), name_(name) {}

  void decode(const SizeCheck& check, Image& into) {
    const Header header = read_header();
    check(header.size);
    into.size = header.size;
    if (header.is_packed()) {
      decode_runs(header, into);
      return;
    }
    const auto width = static_cast<std::size_t>(header.size.width);
    const std::size_t row_bytes = (width * header.bits + 31) / 32 * 4;
    const auto height = static_cast<std::size_t>(header.size.height);
    // Before memory is taken for it: a header alone must not cost any.
    (void)reader_.bytes(header.pixels, row_bytes * height);
    into.rgb.resize(into.row_bytes() * height);
    for (std::size_t y = 0; y < height; ++y) {
      const std::size_t stored = header.is_top_down ? y : height - 1 - y;
      const std::string_view row = reader_.bytes(header.pixels + stored * row_bytes, row_bytes);
      read_row(header, row, width, into.row(static_cast<int>(y)));
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} is a BMP {}", name_, why));
  }

  Header read_header() {
    Header header;
    header.pixels = reader_.u32(10);
    const std::uint32_t info = reader_.u32(kFileHeader);
    std::int64_t height = 0;
    if (info == 12) {  // OS/2
      header.size.width = static_cast<int>(reader_.u16(18));
      height = static_cast<int>(reader_.u16(20));
      header.bits = reader_.u16(24);
      header.palette_entry = 3;
    } else if (info >= 40) {
      header.size.width = reader_.i32(18);
      height = reader_.i32(22);
      header.bits = reader_.u16(28);
      header.compression = reader_.u32(30);
      header.colours = reader_.u32(46);
    } else {
      refuse(fmt::format("with an unknown header of {} bytes", info));
    }
    header.is_top_down = height < 0;
    if (height < -0x7FFFFFFF || header.size.width < 0) refuse("with an impossible size");
    header.size.height = static_cast<int>(std::abs(height));
    header.palette = kFileHeader + info;
    check_format(header);
    if (header.bits == 16 || header.bits == 32) read_masks(header);
    return header;
  }

  void check_format(Header& header) const {
    const bool has_fields =
        header.compression == kBitFields || header.compression == kAlphaBitFields;
    const bool takes_fields = header.bits == 16 || header.bits == 32;
    const bool takes_runs = (header.compression == kRle8 && header.bits == 8) ||
                            (header.compression == kRle4 && header.bits == 4);
    if (header.compression != kPlain && !(has_fields && takes_fields) && !takes_runs) {
      refuse(fmt::format("with compression {} of {} bits a pixel, which is not understood",
                         header.compression, header.bits));
    }
    if (takes_runs && header.is_top_down) refuse("with run-length compression from above");
    switch (header.bits) {
      case 1:
      case 4:
      case 8: {
        const std::size_t most = std::size_t{1} << header.bits;
        if (header.colours == 0) header.colours = most;
        if (header.colours > most) refuse("with too many colours");
        break;
      }
      case 16:
      case 24:
      case 32:
        break;
      default:
        refuse(fmt::format("with {} bits a pixel; 1, 4, 8, 16, 24 and 32 are understood",
                           header.bits));
    }
  }

  void read_masks(Header& header) {
    if (header.compression == kPlain) {
      header.masks = header.bits == 16 ? std::array<std::uint32_t, 3>{0x7C00, 0x03E0, 0x001F}
                                       : std::array<std::uint32_t, 3>{0xFF0000, 0xFF00, 0xFF};
      return;
    }
    const std::size_t at = kFileHeader + 40;  // inside a long header, or behind a short one
    for (std::size_t c = 0; c < 3; ++c) {
      header.masks.at(c) = reader_.u32(at + 4 * c);
      if (header.masks.at(c) == 0) refuse("with an empty channel mask");
    }
  }

  void read_row(const Header& header, std::string_view row, std::size_t width, std::uint8_t* out) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(row[at]); };
    for (std::size_t x = 0; x < width; ++x, out += 3) {
      if (header.bits <= 8) {
        const std::size_t bit = x * header.bits;
        const std::size_t shift = 8 - header.bits - bit % 8;
        const std::size_t index =
            (static_cast<std::size_t>(byte(bit / 8)) >> shift) & ((1U << header.bits) - 1);
        put_colour(header, index, out);
      } else if (header.bits == 24) {
        for (std::size_t c = 0; c < 3; ++c) out[c] = byte(3 * x + 2 - c);
      } else {
        const std::size_t bytes = header.bits / 8;
        std::uint32_t pixel = 0;
        for (std::size_t i = bytes; i-- > 0;) pixel = (pixel << 8U) | byte(bytes * x + i);
        for (std::size_t c = 0; c < 3; ++c) out[c] = channel(pixel, header.masks.at(c));
      }
    }
  }

  [[noreturn]] void damaged(std::string_view why) const {
    throw Error(ErrorCode::data_corrupted, fmt::format("{} is a damaged BMP: {}", name_, why));
  }

  void put_colour(const Header& header, std::size_t index, std::uint8_t* out) const {
    if (index >= header.colours) damaged(fmt::format("colour {} of {}", index, header.colours));
    const std::size_t at = header.palette + index * header.palette_entry;
    for (std::size_t c = 0; c < 3; ++c) out[c] = reader_.u8(at + 2 - c);
  }

  void decode_runs(const Header& header, Image& into) const {
    // Once without a picture: what is damaged or cut off must not cost memory.
    walk_runs(header, [](std::size_t, std::size_t, std::size_t) {});
    into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(header.size.height));
    std::array<std::uint8_t, 3> background{};  // of pixels that are passed over
    put_colour(header, 0, background.data());
    for (std::size_t i = 0; i < into.rgb.size(); ++i) into.rgb[i] = background.at(i % 3);
    walk_runs(header, [&](std::size_t x, std::size_t y, std::size_t index) {
      const int row = header.size.height - 1 - static_cast<int>(y);
      put_colour(header, index, into.row(row) + 3 * x);
    });
  }

  // Calls put(x, y, colour) for each pixel, y from below, as Windows' run-length compression has
  // them: a count and a colour (of 4 bits: two, in turn), or 0 and 0 the row's end, 1 the
  // picture's, 2 a step to the right and up, 3 to 255 so many pixels as they are.
  template <typename Put>
  void walk_runs(const Header& header, const Put& put) const {
    const auto width = static_cast<std::size_t>(header.size.width);
    const auto height = static_cast<std::size_t>(header.size.height);
    const bool is_nibbles = header.bits == 4;
    std::size_t at = header.pixels;
    std::size_t x = 0;
    std::size_t y = 0;
    const auto pixel = [&](std::size_t from, std::size_t i) {
      if (x >= width || y >= height) damaged("a run leaves the picture");
      const std::size_t value = reader_.u8(from + (is_nibbles ? i / 2 : i));
      put(x++, y, !is_nibbles ? value : i % 2 == 0 ? value >> 4U : value & 15U);
    };
    while (true) {
      const std::size_t count = reader_.u8(at);
      const std::size_t code = reader_.u8(at + 1);
      at += 2;
      if (count > 0) {
        for (std::size_t i = 0; i < count; ++i) pixel(at - 1, is_nibbles ? i % 2 : 0);
      } else if (code == 0) {
        x = 0;
        if (++y >= height) return;  // some leave out the picture's end
      } else if (code == 1) {
        return;
      } else if (code == 2) {
        x += reader_.u8(at);
        y += reader_.u8(at + 1);
        at += 2;
      } else {
        for (std::size_t i = 0; i < code; ++i) pixel(at, i);
        const std::size_t bytes = is_nibbles ? (code + 1) / 2 : code;
        at += bytes + bytes % 2;
      }
    }
  }

  // The bits under the mask as the highest of eight.
  static std::uint8_t channel(std::uint32_t pixel, std::uint32_t mask) {
    const int low = std::countr_zero(mask);
    const int length = std::popcount(mask);
    const std::uint32_t value = (pixel & mask) >> low;
    return static_cast<std::uint8_t>(length >= 8 ? value >> (length - 8) : value << (8 - length));
  }

  ByteReader reader_;
  std::string_view name_;
};

}  // namespace

void decode_bmp(std::string_view bytes, std::string_view name, const SizeCheck& check,
                Image& into) {
  BmpDecoder(bytes, name).decode(check, into);
}

}  // namespace andon::vision
