// SPDX-License-Identifier: Apache-2.0
// BMP and TIFF files written byte by byte, and pictures from hell.
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error/error.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/image/decode.hpp"
#include "vision/image/tiff_compression.hpp"

namespace andon::vision {
namespace {

using Bytes = std::vector<std::uint8_t>;
using std::operator""sv;

std::string little(std::uint32_t value, std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    text.push_back(i < 4 ? static_cast<char>(value >> (8 * i)) : '\0');
  }
  return text;
}

std::string bmp(int width, int height, std::uint32_t bits, std::uint32_t compression,
                std::string_view palette, std::string_view pixels) {
  const auto offset = static_cast<std::uint32_t>(54 + palette.size());
  return "BM" + little(0, 8) + little(offset, 4) + little(40, 4) +
         little(static_cast<std::uint32_t>(width), 4) +
         little(static_cast<std::uint32_t>(height), 4) + little(1, 2) + little(bits, 2) +
         little(compression, 4) + little(0, 20) + std::string(palette) + std::string(pixels);
}

struct Entry {
  std::uint16_t tag;
  std::vector<std::uint32_t> values;
};

// Entries in order, with 4-byte values; the pixels' bytes follow the directory at tag 273 or 324.
std::string tiff(std::vector<Entry> entries, std::string_view pixels) {
  std::size_t extra = 8 + 2 + 12 * entries.size() + 4;
  std::size_t long_values = 0;
  for (const Entry& entry : entries) {
    if (entry.values.size() > 1) long_values += 4 * entry.values.size();
  }
  const auto data = static_cast<std::uint32_t>(extra + long_values);
  std::string directory = little(static_cast<std::uint32_t>(entries.size()), 2);
  std::string rest;
  for (Entry& entry : entries) {
    if (entry.tag == 273 || entry.tag == 324) {
      for (std::uint32_t& value : entry.values) value += data;
    }
    directory += little(entry.tag, 2) + little(4, 2) +
                 little(static_cast<std::uint32_t>(entry.values.size()), 4);
    if (entry.values.size() == 1) {
      directory += little(entry.values[0], 4);
    } else {
      directory += little(static_cast<std::uint32_t>(extra + rest.size()), 4);
      for (const std::uint32_t value : entry.values) rest += little(value, 4);
    }
  }
  return std::string("II*\0"sv) + little(8, 4) + directory + little(0, 4) + rest +
         std::string(pixels);
}

std::vector<Entry> grey_entries(std::uint32_t width, std::uint32_t height, std::uint32_t bits,
                                std::uint32_t compression, std::size_t bytes) {
  return {{256, {width}},       {257, {height}}, {258, {bits}},
          {259, {compression}}, {262, {1}},      {273, {0}},
          {277, {1}},           {278, {height}}, {279, {static_cast<std::uint32_t>(bytes)}}};
}

Bytes decoded(const std::string& bytes) {
  ImageDecoder decoder;
  return decoder.decode(bytes, "picture").rgb;
}

std::string refusal(const std::string& bytes) {
  ImageDecoder decoder;
  try {
    (void)decoder.decode(bytes, "picture");
  } catch (const base::Error& error) {
    return error.message();
  }
  return "accepted";
}

#define EXPECT_REFUSED(bytes, part) \
  EXPECT_NE(refusal(bytes).find(part), std::string::npos) << refusal(bytes)

TEST(Bmp, IsReadFromBelowAndFromAbove) {
  // Rows are padded to four bytes; blue comes first.
  const std::string_view rows = "\x03\x02\x01\0\x06\x05\x04\0"sv;
  EXPECT_EQ(decoded(bmp(1, 2, 24, 0, {}, rows)), (Bytes{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(decoded(bmp(1, -2, 24, 0, {}, rows)), (Bytes{1, 2, 3, 4, 5, 6}));
}

TEST(Bmp, HasPalettesMasksAndDeadAlpha) {
  const std::string_view palette = "\0\0\0\0\x03\x02\x01\0"sv;
  EXPECT_EQ(decoded(bmp(3, 1, 1, 0, palette, "\x40\0\0\0"sv)), (Bytes{0, 0, 0, 1, 2, 3, 0, 0, 0}));
  EXPECT_EQ(decoded(bmp(1, 1, 32, 0, {}, "\x03\x02\x01\x80"sv)), (Bytes{1, 2, 3}));
  EXPECT_EQ(decoded(bmp(1, 1, 16, 0, {}, "\xFF\x7F\0\0"sv)), (Bytes{248, 248, 248}));
  const std::string masks = little(0xF800, 4) + little(0x07E0, 4) + little(0x001F, 4);
  EXPECT_EQ(decoded(bmp(1, 1, 16, 3, masks, "\xE0\x07\0\0"sv)), (Bytes{0, 252, 0}));
}

// Eight colours of which each channel is the index.
std::string ramp() {
  std::string palette;
  for (char i = 0; i < 8; ++i) palette += {i, i, i, '\0'};
  return palette + std::string(4 * 248, '\0');
}

Bytes indexes(const std::string& bytes) {
  Bytes result;
  const Bytes rgb = decoded(bytes);
  for (std::size_t i = 0; i < rgb.size(); i += 3) result.push_back(rgb[i]);
  return result;
}

TEST(Bmp, IsUnpackedFromRuns) {
  // A run of three, a row's end; three as they are (padded to a whole word); the end.
  EXPECT_EQ(indexes(bmp(3, 2, 8, 1, ramp(), "\3\5\0\0\0\3\1\2\3\0\0\1"sv)),
            (Bytes{1, 2, 3, 5, 5, 5}));
  // What a step passes over, and what an early end leaves, has the first colour.
  EXPECT_EQ(indexes(bmp(3, 3, 8, 1, ramp(), "\1\7\0\2\1\1\1\6\0\1"sv)),
            (Bytes{0, 0, 0, 0, 0, 6, 7, 0, 0}));
  // Without the picture's end, which some writers leave out.
  EXPECT_EQ(indexes(bmp(1, 1, 8, 1, ramp(), "\1\7\0\0"sv)), (Bytes{7}));
  EXPECT_REFUSED(bmp(3, 1, 8, 1, ramp(), "\4\5\0\1"sv), "a run leaves the picture");
  EXPECT_REFUSED(bmp(3, 1, 8, 1, ramp(), "\0\2\0\1\1\1\0\1"sv), "a run leaves the picture");
  EXPECT_REFUSED(bmp(3, 1, 8, 1, ramp(), "\3\5"sv), "it ends after");
  EXPECT_REFUSED(bmp(3, 1, 8, 1, ramp(), "\0\3\5"sv), "it ends after");
  EXPECT_REFUSED(bmp(10'000, 9'000, 8, 1, ramp(), "\3\5"sv), "it ends after");  // takes no memory
}

TEST(Bmp, IsRefusedWithAReason) {
  EXPECT_REFUSED(bmp(4, 4, 8, 2, {}, {}), "compression 2 of 8 bits");
  EXPECT_REFUSED(bmp(4, -4, 8, 1, {}, {}), "run-length compression from above");
  EXPECT_REFUSED(bmp(4, 4, 7, 0, {}, {}), "7 bits a pixel");
  EXPECT_REFUSED(bmp(4, 4, 24, 0, {}, "short"), "it ends after");
  EXPECT_REFUSED(bmp(0, 4, 24, 0, {}, {}), "has no pixels");
  EXPECT_REFUSED(bmp(20'000, 20'000, 24, 0, {}, {}), "20000x20000");
  EXPECT_REFUSED(bmp(10'000, 9'000, 24, 0, {}, {}), "it ends after");  // no memory for a header
  EXPECT_REFUSED(bmp(1, 1, 8, 0, "\0\0\0\0"sv, "\x05\0\0\0"sv), "cannot read");
}

TEST(Tiff, HasGreyColourAndPalettePictures) {
  EXPECT_EQ(decoded(tiff(grey_entries(2, 1, 8, 1, 2), "\x0A\x14"sv)),
            (Bytes{10, 10, 10, 20, 20, 20}));
  EXPECT_EQ(decoded(tiff(grey_entries(2, 1, 16, 1, 4), "\xFF\x0A\0\x14"sv)),
            (Bytes{10, 10, 10, 20, 20, 20}));
  auto white_is_zero = grey_entries(1, 1, 8, 1, 1);
  white_is_zero[4].values = {0};
  EXPECT_EQ(decoded(tiff(white_is_zero, "\x05"sv)), (Bytes{250, 250, 250}));
  auto colour = grey_entries(1, 2, 8, 1, 8);
  colour[2].values = {8, 8, 8, 8};
  colour[4].values = {2};
  colour[6].values = {4};
  EXPECT_EQ(decoded(tiff(colour, "\x01\x02\x03\xFF\x04\x05\x06\xFF"sv)), (Bytes{1, 2, 3, 4, 5, 6}));
  auto palette = grey_entries(1, 1, 8, 1, 1);
  palette[4].values = {3};
  Entry map{320, std::vector<std::uint32_t>(768)};
  map.values[7] = 0x0100;
  map.values[256 + 7] = 0x0200;
  map.values[512 + 7] = 0x0300;
  palette.push_back(map);
  EXPECT_EQ(decoded(tiff(palette, "\x07"sv)), (Bytes{1, 2, 3}));
  EXPECT_EQ(decoded(tiff(grey_entries(3, 1, 1, 1, 1), "\x40"sv)),
            (Bytes{0, 0, 0, 255, 255, 255, 0, 0, 0}));
}

TEST(Tiff, HasStripsTilesAndPlanes) {
  auto strips = grey_entries(1, 3, 8, 1, 0);
  strips[5].values = {2, 1, 0};
  strips[7].values = {1};
  strips[8].values = {1, 1, 1};
  EXPECT_EQ(decoded(tiff(strips, "\x01\x02\x03"sv)), (Bytes{3, 3, 3, 2, 2, 2, 1, 1, 1}));
  std::vector<Entry> tiles{{256, {3}}, {257, {1}}, {258, {8}}, {259, {1}},    {262, {1}},
                           {277, {1}}, {322, {2}}, {323, {2}}, {324, {0, 4}}, {325, {4, 4}}};
  EXPECT_EQ(decoded(tiff(tiles, "\x01\x02\x09\x09\x03\x09\x09\x09"sv)),
            (Bytes{1, 1, 1, 2, 2, 2, 3, 3, 3}));
  auto planes = grey_entries(1, 1, 8, 1, 0);
  planes[4].values = {2};
  planes[5].values = {0, 1, 2};
  planes[6].values = {3};
  planes[8].values = {1, 1, 1};
  planes.push_back({284, {2}});
  EXPECT_EQ(decoded(tiff(planes, "\x01\x02\x03"sv)), (Bytes{1, 2, 3}));
}

TEST(Tiff, IsUnpackedByEachCompression) {
  // PackBits: the example of TIFF 6.0, section 9.
  const std::string_view packed = "\xFE\xAA\x02\x80\x00\x2A\xFD\xAA\x03\x80\x00\x2A\x22\xF7\xAA"sv;
  const Bytes expected{0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00,
                       0x2A, 0x22, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA};
  Bytes out(24);
  EXPECT_EQ(unpack_tiff(TiffCompression::pack_bits, packed, out), 24U);
  EXPECT_EQ(out, expected);
  // LZW: the example of section 13: 7 7 7 8 8 7 7 6 6 is
  // clear 7 258 8 8 258 6 6 end, in nine bits each.
  std::string lzw;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint32_t code : {256U, 7U, 258U, 8U, 8U, 258U, 6U, 6U, 257U}) {
    bits = bits << 9U | code;
    count += 9;
    for (; count >= 8; count -= 8) lzw.push_back(static_cast<char>(bits >> (count - 8)));
  }
  lzw.push_back(static_cast<char>(bits << (8 - count)));
  out.assign(9, 0);
  EXPECT_EQ(unpack_tiff(TiffCompression::lzw, lzw, out), 9U);
  EXPECT_EQ(out, (Bytes{7, 7, 7, 8, 8, 7, 7, 6, 6}));
  // Deflate, with the predictor: differences 10, 1, 1.
  auto entries = grey_entries(3, 1, 8, 8, 0);
  const Bytes differences{10, 1, 1};
  Bytes deflated(64);
  uLongf size = deflated.size();
  ASSERT_EQ(compress(deflated.data(), &size, differences.data(), 3), Z_OK);
  entries[8].values = {static_cast<std::uint32_t>(size)};
  entries.push_back({317, {2}});
  EXPECT_EQ(decoded(tiff(entries, {reinterpret_cast<const char*>(deflated.data()), size})),
            (Bytes{10, 10, 10, 11, 11, 11, 12, 12, 12}));
}

TEST(Tiff, IsTurnedAsItSays) {
  auto entries = grey_entries(2, 1, 8, 1, 2);
  entries.insert(entries.begin() + 6, {274, {6}});
  ImageDecoder decoder;
  const std::string bytes = tiff(entries, "\x01\x02"sv);
  const Image& image = decoder.decode(bytes, "turned.tif");
  EXPECT_EQ(image.size, (Size{1, 2}));
  EXPECT_EQ(image.rgb, (Bytes{1, 1, 1, 2, 2, 2}));
}

TEST(Tiff, IsRefusedWithAReason) {
  EXPECT_REFUSED(tiff(grey_entries(2, 1, 8, 6, 2), "ab"), "compression 6");
  EXPECT_REFUSED(tiff(grey_entries(2, 1, 8, 7, 2), "ab"), "is no JPEG");
  EXPECT_REFUSED(tiff(grey_entries(2, 1, 16, 7, 2), "ab"), "neither grey nor colour of 8 bits");
  auto ycbcr = grey_entries(1, 1, 8, 1, 3);
  ycbcr[2].values = {8, 8, 8};
  ycbcr[4].values = {6};
  ycbcr[6].values = {3};
  EXPECT_REFUSED(tiff(ycbcr, "abc"), "of kind 6 with 3 samples");
  EXPECT_REFUSED(std::string("II+\0\x08\0\0\0\0\0\0\0\1\0\0\0"sv), "beyond what a file holds");
  EXPECT_REFUSED(tiff(grey_entries(2, 1, 12, 1, 4), "abcd"), "12 bits a sample");
  EXPECT_REFUSED(tiff(grey_entries(4, 1, 8, 1, 2), "ab"), "ends too early");
  EXPECT_REFUSED(tiff(grey_entries(2, 1, 8, 1, 99), "ab"), "it ends after");
  EXPECT_REFUSED(tiff(grey_entries(20'000, 20'000, 8, 1, 2), "ab"), "20000x20000");
  EXPECT_REFUSED(std::string("II*\0\xFF\xFF\xFF\xFF"sv) + std::string(20, 'x'), "it ends after");
  auto floats = grey_entries(1, 1, 16, 1, 2);
  floats.push_back({339, {3}});
  EXPECT_REFUSED(tiff(floats, "ab"), "not whole numbers");
}

TEST(Pictures, ThatMoveAreRefused) {
  EXPECT_REFUSED(std::string("GIF89a\1\0\1\0"sv), "it is a GIF");
  // An APNG has its control chunk before the pixels.
  std::string png = std::string("\x89PNG\r\n\x1A\n"sv);
  png += std::string("\0\0\0\x0DIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90\x77\x53\xDE"sv);
  png += std::string("\0\0\0\010acTL\0\0\0\2\0\0\0\0\0\0\0\0"sv);
  EXPECT_REFUSED(png, "animated PNG");
}

TEST(Pictures, AreDecodedSmallerWhereTheNetworkIsSmaller) {
  Image original{{640, 480}, {}};
  original.rgb.resize(640 * 480 * 3);
  for (std::size_t i = 0; i < original.rgb.size(); ++i) {
    original.rgb[i] = static_cast<std::uint8_t>(i / 3 % 640 * 255 / 640);
  }
  const std::string bytes = encode_jpeg(original, 95);
  ImageDecoder decoder;
  EXPECT_EQ(decoder.decode(bytes, "a.jpg").size, (Size{640, 480}));
  const Image& half = decoder.decode(bytes, "a.jpg", {{320, 320}});
  EXPECT_EQ(half.size, (Size{320, 240}));
  EXPECT_EQ(half.full_size(), (Size{640, 480}));
  EXPECT_NEAR(half.row(100)[160 * 3], 127, 3);
  EXPECT_EQ(decoder.decode(bytes, "a.jpg", {{330, 330}}).size, (Size{640, 480}));
  EXPECT_EQ(decoder.decode(bytes, "a.jpg", {{64, 64}}).size, (Size{80, 60}));
  EXPECT_EQ(decoder.decode(bytes, "a.jpg").full_size(), (Size{640, 480}));
}

}  // namespace
}  // namespace andon::vision
