// SPDX-License-Identifier: Apache-2.0
#include "vision/raw.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/error.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
using Layout = RawFormat::Layout;

constexpr int kMaxSide = 16'384;
constexpr std::array<std::pair<std::string_view, Layout>, 7> kLayouts{{
    {"mono", Layout::mono},
    {"rgb", Layout::rgb},
    {"bgr", Layout::bgr},
    {"rggb", Layout::rggb},
    {"bggr", Layout::bggr},
    {"grbg", Layout::grbg},
    {"gbrg", Layout::gbrg},
}};

bool is_mosaic(Layout layout) {
  return layout >= Layout::rggb;
}

bool is_interleaved(Layout layout) {
  return layout == Layout::rgb || layout == Layout::bgr;
}

[[noreturn]] void refuse(std::string_view text) {
  throw Error(ErrorCode::invalid_argument,
              fmt::format("'{}' is not a raw format: WIDTHxHEIGHT:LAYOUTBITS is needed, such as "
                          "1280x1024:mono8; layouts are mono, rgb, bgr, rggb, bggr, grbg, gbrg; "
                          "bits are 8, 10, 12, 14, 16; sides are 1 to {}",
                          text, kMaxSide));
}

// Reads a number at the start of `text` and takes it off.
int take_number(std::string_view& text, std::string_view whole) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 1 || value > kMaxSide) refuse(whole);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

class Samples {
 public:
  Samples(std::string_view bytes, int bits) : bytes_(bytes), shift_(bits - 8) {}

  // Sample `i`, its highest eight bits.
  [[nodiscard]] std::uint8_t operator[](std::size_t i) const {
    if (shift_ == 0) return static_cast<std::uint8_t>(bytes_[i]);
    const auto low = static_cast<std::uint8_t>(bytes_[2 * i]);
    const auto high = static_cast<std::uint8_t>(bytes_[2 * i + 1]);
    const unsigned value = (static_cast<unsigned>(high) << 8U | low) >> shift_;
    return static_cast<std::uint8_t>(value > 255 ? 255 : value);
  }

 private:
  std::string_view bytes_;
  int shift_;
};

// The channel (0 red, 1 green, 2 blue) that the pixel at (x, y) of a mosaic has.
std::size_t channel_at(Layout layout, int x, int y) {
  const int red_x = layout == Layout::rggb || layout == Layout::gbrg ? 0 : 1;
  const int red_y = layout == Layout::rggb || layout == Layout::grbg ? 0 : 1;
  const bool on_red_column = x % 2 == red_x;
  const bool on_red_row = y % 2 == red_y;
  if (on_red_column != on_red_row) return 1;
  return on_red_row ? 0 : 2;
}

// Beyond an edge the mosaic goes on mirrored, so that colours stay where they belong.
int mirrored(int at, int side) {
  if (at < 0) return side > 1 ? -at : 0;
  if (at >= side) return side > 1 ? 2 * side - 2 - at : 0;
  return at;
}

void fill_in_mosaic(const Samples& samples, Layout layout, Image& into) {
  const Size size = into.size;
  for (int y = 0; y < size.height; ++y) {
    std::uint8_t* out = into.row(y);
    for (int x = 0; x < size.width; ++x, out += 3) {
      std::array<int, 3> sum{};
      std::array<int, 3> count{};
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
          const int from_x = mirrored(x + dx, size.width);
          const int from_y = mirrored(y + dy, size.height);
          const std::size_t channel = channel_at(layout, from_x, from_y);
          const auto place =
              static_cast<std::size_t>(from_y) * static_cast<std::size_t>(size.width) +
              static_cast<std::size_t>(from_x);
          sum.at(channel) += samples[place];
          ++count.at(channel);
        }
      }
      const std::size_t own = channel_at(layout, x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        const int mean = count.at(c) > 0 ? (sum.at(c) + count.at(c) / 2) / count.at(c) : 0;
        out[c] = static_cast<std::uint8_t>(mean);
      }
      out[own] = samples[static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) +
                         static_cast<std::size_t>(x)];
    }
  }
}

}  // namespace

std::size_t RawFormat::bytes() const {
  const std::size_t samples = is_interleaved(layout) ? 3 : 1;
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * samples *
         (bits > 8 ? 2 : 1);
}

RawFormat parse_raw_format(std::string_view text) {
  RawFormat format;
  std::string_view rest = text;
  format.size.width = take_number(rest, text);
  if (!rest.starts_with('x')) refuse(text);
  rest.remove_prefix(1);
  format.size.height = take_number(rest, text);
  if (!rest.starts_with(':')) refuse(text);
  rest.remove_prefix(1);
  for (const auto& [name, layout] : kLayouts) {
    if (!rest.starts_with(name)) continue;
    std::string_view bits = rest.substr(name.size());
    format.layout = layout;
    format.bits = take_number(bits, text);
    const bool is_known = format.bits >= 8 && format.bits <= 16 && format.bits % 2 == 0;
    if (!is_known || !bits.empty()) refuse(text);
    return format;
  }
  refuse(text);
}

void decode_raw(std::string_view bytes, std::string_view name, const RawFormat& format,
                Image& into) {
  if (bytes.size() != format.bytes()) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("{} has {} bytes; a raw frame of {}x{} has {}", name, bytes.size(),
                            format.size.width, format.size.height, format.bytes()));
  }
  into.size = format.size;
  into.full = {};
  into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(format.size.height));
  const Samples samples(bytes, format.bits);
  if (is_mosaic(format.layout)) {
    fill_in_mosaic(samples, format.layout, into);
    return;
  }
  const std::size_t pixels = into.rgb.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      const std::size_t place = format.layout == Layout::mono  ? i
                                : format.layout == Layout::rgb ? 3 * i + c
                                                               : 3 * i + 2 - c;
      into.rgb[3 * i + c] = samples[place];
    }
  }
}

}  // namespace andon::vision
