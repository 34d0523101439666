// SPDX-License-Identifier: Apache-2.0
#include "vision/image/raw.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
using Layout = RawFormat::Layout;
using Packing = RawFormat::Packing;

constexpr int kMaxSide = 16'384;
constexpr std::array<std::pair<std::string_view, Layout>, 14> kLayouts{{
    {"mono", Layout::mono},
    {"rgb", Layout::rgb},
    {"bgr", Layout::bgr},
    {"rggb", Layout::rggb},
    {"bggr", Layout::bggr},
    {"grbg", Layout::grbg},
    {"gbrg", Layout::gbrg},
    {"Mono", Layout::mono},
    {"RGB", Layout::rgb},
    {"BGR", Layout::bgr},
    {"BayerRG", Layout::rggb},
    {"BayerBG", Layout::bggr},
    {"BayerGR", Layout::grbg},
    {"BayerGB", Layout::gbrg},
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
                          "1280x1024:mono8 or 2448x2048:rggb12p; layouts are mono, rgb, bgr, rggb, "
                          "bggr, grbg, gbrg; bits are 8, 10, 12, 14, 16, and 10p, 12p, 14p, "
                          "10packed, 12packed; sides are 1 to {}, of a mosaic 2 at least",
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

// Each gives the highest eight bits of sample `i`.
struct Bytes {
  const std::uint8_t* bytes;
  std::uint8_t operator[](std::size_t i) const { return bytes[i]; }
};

struct Words {
  const std::uint8_t* bytes;
  int bits;
  std::uint8_t operator[](std::size_t i) const {
    const unsigned value = unsigned{bytes[2 * i + 1]} << 8U | bytes[2 * i];
    const unsigned high = value >> (bits - 8);
    return static_cast<std::uint8_t>(high > 255 ? 255 : high);
  }
};

struct LsbPacked {
  const std::uint8_t* bytes;
  std::size_t bits;
  std::uint8_t operator[](std::size_t i) const {
    const std::size_t start = i * bits + bits - 8;
    const std::size_t shift = start % 8;
    const unsigned low = unsigned{bytes[start / 8]} >> shift;
    // The byte behind the last sample is not there.
    const unsigned high = shift == 0 ? 0 : unsigned{bytes[start / 8 + 1]} << (8 - shift);
    return static_cast<std::uint8_t>(low | high);
  }
};

// Of 10 bits and of 12: the two high bytes have the same places.
struct GigePacked {
  const std::uint8_t* bytes;
  std::uint8_t operator[](std::size_t i) const { return bytes[i / 2 * 3 + i % 2 * 2]; }
};

// One row of a mosaic. `own`: the channel that the row has beside green (0 red, 2 blue), at each
// second pixel from `first` on.
void fill_in_row(const std::uint8_t* above, const std::uint8_t* here, const std::uint8_t* below,
                 int width, std::size_t own, int first, std::uint8_t* out) {
  const std::size_t other = 2 - own;
  const auto half = [](int sum) { return static_cast<std::uint8_t>((sum + 1) / 2); };
  const auto quarter = [](int sum) { return static_cast<std::uint8_t>((sum + 2) / 4); };
  for (int x = 0; x < width; ++x, out += 3) {
    // Beyond an edge the mosaic goes on mirrored, so that colours stay where they belong.
    const int left = x == 0 ? 1 : x - 1;
    const int right = x == width - 1 ? width - 2 : x + 1;
    if (x % 2 == first) {
      out[own] = here[x];
      out[1] = quarter(above[x] + below[x] + here[left] + here[right]);
      out[other] = quarter(above[left] + above[right] + below[left] + below[right]);
    } else {
      out[own] = half(here[left] + here[right]);
      out[1] = here[x];
      out[other] = half(above[x] + below[x]);
    }
  }
}

template <typename Samples>
void fill_in_mosaic(const Samples& samples, Layout layout, Image& into) {
  const auto width = static_cast<std::size_t>(into.size.width);
  const auto height = static_cast<std::size_t>(into.size.height);
  // The samples are put at the end of the picture's own memory, so far behind that a row of three
  // bytes a pixel never reaches those that are still needed.
  const std::size_t plane = 2 * width * (height + 1);
  into.rgb.resize(plane + width * height);
  for (std::size_t i = 0; i < width * height; ++i) into.rgb[plane + i] = samples[i];
  const std::size_t red_y = layout == Layout::rggb || layout == Layout::grbg ? 0 : 1;
  const int red_x = layout == Layout::rggb || layout == Layout::gbrg ? 0 : 1;
  for (std::size_t y = 0; y < height; ++y) {
    const auto row = [&](std::size_t at) { return into.rgb.data() + plane + at * width; };
    const bool has_red = y % 2 == red_y;
    fill_in_row(row(y == 0 ? 1 : y - 1), row(y), row(y == height - 1 ? height - 2 : y + 1),
                into.size.width, has_red ? 0 : 2, has_red ? red_x : 1 - red_x,
                into.row(static_cast<int>(y)));
  }
  into.rgb.resize(3 * width * height);
}

template <typename Samples>
void decode_samples(const Samples& samples, Layout layout, Image& into) {
  if (is_mosaic(layout)) {
    fill_in_mosaic(samples, layout, into);
    return;
  }
  const std::size_t pixels =
      static_cast<std::size_t>(into.size.width) * static_cast<std::size_t>(into.size.height);
  into.rgb.resize(3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    std::uint8_t* out = into.rgb.data() + 3 * i;
    if (layout == Layout::mono) {
      out[0] = out[1] = out[2] = samples[i];
    } else {
      const std::size_t red = layout == Layout::rgb ? 0 : 2;
      out[0] = samples[3 * i + red];
      out[1] = samples[3 * i + 1];
      out[2] = samples[3 * i + 2 - red];
    }
  }
}

// What stands behind the bits; nothing where it does not go with them.
std::optional<Packing> packing_of(std::string_view suffix, int bits) {
  if (suffix.empty()) return Packing::none;
  if (suffix == "p" && (bits == 10 || bits == 12 || bits == 14)) return Packing::lsb;
  if ((suffix == "packed" || suffix == "Packed") && (bits == 10 || bits == 12)) {
    return Packing::gige;
  }
  return std::nullopt;
}

}  // namespace

std::size_t RawFormat::bytes() const {
  const std::size_t samples = static_cast<std::size_t>(size.width) *
                              static_cast<std::size_t>(size.height) *
                              (is_interleaved(layout) ? 3 : 1);
  switch (packing) {
    case Packing::none:
      return bits > 8 ? 2 * samples : samples;
    case Packing::lsb:
      return (samples * static_cast<std::size_t>(bits) + 7) / 8;
    case Packing::gige:
      // A lone last sample has its high byte and its low bits.
      return samples / 2 * 3 + samples % 2 * 2;
  }
  return 0;
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
    const auto packing = packing_of(bits, format.bits);
    const bool is_too_small =
        is_mosaic(layout) && (format.size.width < 2 || format.size.height < 2);
    if (!is_known || !packing || is_too_small) refuse(text);
    format.packing = *packing;
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
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (format.packing == Packing::lsb) {
    decode_samples(LsbPacked{data, static_cast<std::size_t>(format.bits)}, format.layout, into);
  } else if (format.packing == Packing::gige) {
    decode_samples(GigePacked{data}, format.layout, into);
  } else if (format.bits > 8) {
    decode_samples(Words{data, format.bits}, format.layout, into);
  } else {
    decode_samples(Bytes{data}, format.layout, into);
  }
}

}  // namespace andon::vision
