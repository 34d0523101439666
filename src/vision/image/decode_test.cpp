// SPDX-License-Identifier: Apache-2.0
#include "vision/image/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <cmath>
#include <random>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/pixels/letterbox.hpp"

namespace andon::vision {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using std::operator""s;
using std::operator""sv;

Image gradient(Size size) {
  Image image{size, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(size.height));
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      std::uint8_t* pixel = image.row(y) + static_cast<std::size_t>(x) * 3;
      pixel[0] = static_cast<std::uint8_t>(x * 255 / size.width);
      pixel[1] = static_cast<std::uint8_t>(y * 255 / size.height);
      pixel[2] = 77;
    }
  }
  return image;
}

// A JPEG of any colour space: `pixels` in `format`, stored as `subsampling` says.
std::string make_jpeg(Size size, const std::vector<std::uint8_t>& pixels, int format,
                      int subsampling, int flags = 0) {
  const tjhandle encoder = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long count = 0;
  EXPECT_EQ(tjCompress2(encoder, pixels.data(), size.width, 0, size.height, format, &bytes, &count,
                        subsampling, 95, flags),
            0);
  std::string result(reinterpret_cast<const char*>(bytes), count);
  tjFree(bytes);
  tjDestroy(encoder);
  return result;
}

std::string make_png(Size size, const void* pixels, std::uint32_t format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(size.width);
  image.height = static_cast<png_uint_32>(size.height);
  image.format = format;
  png_alloc_size_t count = 0;
  EXPECT_NE(png_image_write_to_memory(&image, nullptr, &count, 0, pixels, 0, nullptr), 0);
  std::string result(count, '\0');
  EXPECT_NE(png_image_write_to_memory(&image, result.data(), &count, 0, pixels, 0, nullptr), 0);
  result.resize(count);
  return result;
}

std::string case_file(const std::string& name) {
  return base::read_file(base::fs::path(ANDON_SOURCE_DIR) / "tests" / "data" / "vision" / name);
}

std::string refusal(std::string_view bytes, base::ErrorCode code) {
  ImageDecoder decoder;
  try {
    (void)decoder.decode(bytes, "picture.jpg");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(error.message(), HasSubstr("picture.jpg"));
    return error.message();
  }
  return "accepted";
}

// What the network sees of it, byte by byte where `preprocessing` divides by 1.
std::vector<float> letterbox(const Image& image, Size target, const Preprocessing& preprocessing) {
  Letterboxer letterboxer(target, preprocessing);
  std::vector<float> tensor(3 * static_cast<std::size_t>(target.width) *
                            static_cast<std::size_t>(target.height));
  (void)letterboxer.fill(image, tensor);
  return tensor;
}

// Noise leaves the range of a byte wherever it can.
std::string noisy_jpeg(Size size, int subsampling, int flags = 0) {
  std::mt19937 random(static_cast<unsigned>(size.width * 100 + size.height));
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size.width) *
                                   static_cast<std::size_t>(size.height) * 3);
  for (auto& byte : pixels) byte = random() % 3 == 0 ? 255 : static_cast<std::uint8_t>(random());
  return make_jpeg(size, pixels, TJPF_RGB, subsampling, flags);
}

TEST(ImageDecoder, GivesPlanesThatLetterboxToTheSameBits) {
  Preprocessing as_bytes;
  as_bytes.divisor = 1;
  Preprocessing odd;
  odd.channels = Preprocessing::Channels::bgr;
  odd.mean = {0.1F, 0.2F, 0.3F};
  odd.deviation = {1, 2, 3};
  odd.fit = Fit::centre_crop;
  ImageDecoder whole;
  ImageDecoder planar;
  int with_planes = 0;
  for (const int subsampling :
       {TJSAMP_420, TJSAMP_422, TJSAMP_444, TJSAMP_440, TJSAMP_411, TJSAMP_GRAY}) {
    for (const Size size :
         {Size{8, 1}, Size{9, 2}, Size{16, 16}, Size{17, 31}, Size{40, 23}, Size{63, 65},
          Size{64, 48}, Size{65, 2}, Size{130, 66}, Size{96, 96}, Size{5, 70}}) {
      for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
        const std::string bytes = noisy_jpeg(size, subsampling, flags);
        const Image& image = whole.decode(bytes, "a.jpg");
        const Image& planes =
            planar.decode(bytes, "a.jpg", {.colours = DecodeHint::Colours::may_be_planes});
        ASSERT_EQ(planes.size, size);
        with_planes += planes.has_planes ? 1 : 0;
        for (const Size target : {size, Size{(size.width + 1) / 2, (size.height + 1) / 2},
                                  Size{32, 32}, Size{20, 50}}) {
          for (const Preprocessing& preprocessing : {as_bytes, odd}) {
            EXPECT_TRUE(letterbox(planes, target, preprocessing) ==
                        letterbox(image, target, preprocessing))
                << subsampling << " " << size.width << "x" << size.height << " in " << target.width
                << "x" << target.height;
          }
        }
      }
    }
  }
  EXPECT_EQ(with_planes, 2 * 2 * 10);
}

TEST(ImageDecoder, MixesTheColoursOfAPictureThatIsTurned) {
  std::string turned = noisy_jpeg({32, 16}, TJSAMP_420);
  const auto exif =
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"sv;
  turned.insert(2, exif);
  ImageDecoder decoder;
  const DecodeHint hint{.colours = DecodeHint::Colours::may_be_planes};
  EXPECT_TRUE(decoder.decode(noisy_jpeg({32, 16}, TJSAMP_420), "a.jpg", hint).has_planes);
  const Image& image = decoder.decode(turned, "a.jpg", hint);
  EXPECT_FALSE(image.has_planes);
  EXPECT_EQ(image.size, (Size{16, 32}));
  EXPECT_EQ(image.rgb.size(), 16U * 32U * 3U);
}

TEST(ImageDecoder, RefusesTruncatedPlanes) {
  const std::string bytes = noisy_jpeg({64, 64}, TJSAMP_420);
  ImageDecoder decoder;
  const DecodeHint hint{.colours = DecodeHint::Colours::may_be_planes};
  for (const std::size_t kept : {bytes.size() / 2, bytes.size() - 3, bytes.size() / 4}) {
    EXPECT_THROW((void)decoder.decode(std::string_view(bytes).substr(0, kept), "a.jpg", hint),
                 base::Error)
        << kept;
  }
  EXPECT_TRUE(decoder.decode(bytes, "a.jpg", hint).has_planes);
}

TEST(ImageDecoder, DecodesJpegCloseToTheOriginal) {
  const Image original = gradient({64, 48});
  const std::string bytes = encode_jpeg(original, 95);
  ImageDecoder decoder;
  const Image& decoded = decoder.decode(bytes, "a.jpg");
  ASSERT_EQ(decoded.size, original.size);
  double difference = 0;
  for (std::size_t i = 0; i < decoded.rgb.size(); ++i) {
    difference += std::abs(static_cast<double>(decoded.rgb[i]) - original.rgb[i]);
  }
  EXPECT_LT(difference / static_cast<double>(decoded.rgb.size()), 3.0);
}

TEST(ImageDecoder, DecodesPngExactlyWhateverItIsCalled) {
  const Image original = gradient({33, 17});
  const std::string bytes = make_png(original.size, original.rgb.data(), PNG_FORMAT_RGB);
  ImageDecoder decoder;
  EXPECT_EQ(decoder.decode(bytes, "wrong-extension.jpg").rgb, original.rgb);
}

TEST(ImageDecoder, MakesGreyPicturesRgb) {
  const std::vector<std::uint8_t> grey(16 * 16, 200);
  ImageDecoder decoder;
  const std::string jpeg = make_jpeg({16, 16}, grey, TJPF_GRAY, TJSAMP_GRAY);
  EXPECT_THAT(decoder.decode(jpeg, "g.jpg").rgb, testing::Each(200));
  const std::string png = make_png({16, 16}, grey.data(), PNG_FORMAT_GRAY);
  EXPECT_THAT(decoder.decode(png, "g.png").rgb, testing::Each(200));
}

TEST(ImageDecoder, DropsAlphaAndTheLowByteOf16Bits) {
  ImageDecoder decoder;
  const std::vector<std::uint8_t> with_alpha{10, 20, 30, 0, 40, 50, 60, 255};
  const std::string rgba = make_png({2, 1}, with_alpha.data(), PNG_FORMAT_RGBA);
  EXPECT_THAT(decoder.decode(rgba, "a.png").rgb, testing::ElementsAre(10, 20, 30, 40, 50, 60));
  const std::vector<std::uint16_t> deep{0x1234, 0xFF80, 0x0001};
  const std::string linear = make_png({1, 1}, deep.data(), PNG_FORMAT_LINEAR_RGB);
  EXPECT_THAT(decoder.decode(linear, "d.png").rgb, testing::ElementsAre(0x12, 0xFF, 0x00));
}

TEST(ImageDecoder, ConvertsCmyk) {
  std::vector<std::uint8_t> cmyk;
  for (int i = 0; i < 64; ++i) cmyk.insert(cmyk.end(), {255, 0, 128, 255});
  ImageDecoder decoder;
  const std::string bytes = make_jpeg({8, 8}, cmyk, TJPF_CMYK, TJSAMP_444);
  const Image& decoded = decoder.decode(bytes, "c.jpg");
  EXPECT_NEAR(decoded.rgb[0], 255, 3);
  EXPECT_NEAR(decoded.rgb[1], 0, 3);
  EXPECT_NEAR(decoded.rgb[2], 128, 3);
}

TEST(ImageDecoder, TurnsPicturesAsTheirExifSays) {
  Image original = gradient({64, 32});
  std::string bytes = encode_jpeg(original, 95);
  const std::string_view segment =
      "\xFF\xE1\x00\x22"
      "Exif\0\0"
      "MM\0*\0\0\0\x08"
      "\0\x01"
      "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
      "\0\0\0\0"sv;
  ASSERT_EQ(segment.size(), 36U);
  bytes.insert(2, segment);
  ImageDecoder decoder;
  const Image& turned = decoder.decode(bytes, "turned.jpg");
  ASSERT_EQ(turned.size, (Size{32, 64}));
  // Turned clockwise: the bottom left corner of the file is the top left one seen.
  EXPECT_NEAR(turned.rgb[0], 0, 6);
  EXPECT_NEAR(turned.rgb[1], 247, 8);
}

TEST(ImageDecoder, TurnsPicturesWhoseExifStandsBehindFillBytes) {
  const std::string bytes = case_file("exif6-after-fill-bytes.jpg");
  ImageDecoder decoder;
  const Size turned = decoder.decode(bytes, "a.jpg").size;
  std::string upright = bytes;
  upright.at(upright.find("\x12\x01\x03"sv) + 8) = 1;
  EXPECT_EQ(decoder.decode(upright, "a.jpg").size, (Size{turned.height, turned.width}));
  EXPECT_NE(turned.width, turned.height);
}

TEST(ImageDecoder, TakesAJpegOfWhichOnlyTheEndIsWrongAndSaysSo) {
  ImageDecoder decoder;
  for (const char* name : {"no-eoi.jpg", "stray-00-before-eoi.jpg"}) {
    const std::string bytes = case_file(name);
    for (const auto colours : {DecodeHint::Colours::mixed, DecodeHint::Colours::may_be_planes}) {
      EXPECT_GT(decoder.decode(bytes, name, {.colours = colours}).size.width, 0);
      EXPECT_NE(decoder.warning(), "") << name;
    }
  }
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    const std::string whole = noisy_jpeg({40, 24}, TJSAMP_420, flags);
    const std::vector<std::uint8_t> pixels = decoder.decode(whole, "a.jpg").rgb;
    EXPECT_EQ(decoder.warning(), "");
    const std::string_view data = std::string_view(whole).substr(0, whole.size() - 2);
    const std::string zeros(512, '\0');
    for (const std::string& tail :
         {""s, "\xFF"s, zeros, std::string(16, '\0') + "\xFF\xD9", zeros + "\xFF\xD9"}) {
      EXPECT_EQ(decoder.decode(std::string(data) + tail, "a.jpg").rgb, pixels) << tail.size();
      EXPECT_THAT(decoder.warning(),
                  HasSubstr(tail.ends_with('\xD9') ? "stray zeros" : "end marker is missing"));
    }
    // What is left out has to be nothing.
    EXPECT_THROW(
        (void)decoder.decode(std::string(data) + std::string(40, '\x12') + "\xFF\xD9", "a.jpg"),
        base::Error);
    EXPECT_EQ(decoder.decode(whole, "a.jpg").rgb, pixels);
    EXPECT_EQ(decoder.warning(), "");
  }
}

TEST(ImageDecoder, NeverTakesHalfOfAJpegForOneWithoutItsEnd) {
  ImageDecoder decoder;
  const auto refuses = [&](const std::string& whole, const std::string& tail, std::size_t but) {
    for (std::size_t length = 0; length + but < whole.size(); ++length) {
      EXPECT_THROW((void)decoder.decode(whole.substr(0, length) + tail, "cut.jpg"), base::Error)
          << length << " of " << whole.size() << " and " << tail.size();
    }
  };
  constexpr std::size_t kEnd = 3;  // of the last byte a few bits may be needless
  // Zeros may be the rest of the last block of 8x8 pixels.
  constexpr std::size_t kLastBlock = 120;
  const std::string zeros(4'000, '\0');
  for (const int subsampling : {TJSAMP_420, TJSAMP_GRAY}) {
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
      const std::string whole = noisy_jpeg({24, 24}, subsampling, flags);
      for (const std::string& tail : {""s, "\xFF"s}) refuses(whole, tail, kEnd);
      for (const std::string& tail : {"\0\0\0"s, zeros}) refuses(whole, tail, kLastBlock);
    }
    // With an end, a progressive picture of fewer scans is a whole one.
    const std::string whole = noisy_jpeg({24, 24}, subsampling);
    for (const std::string& tail : {"\0\0\xFF\xD9"s, zeros + "\xFF\xD9"}) {
      refuses(whole, tail, kLastBlock);
    }
  }
}

TEST(ImageDecoder, TurnsPngPicturesAsTheirExifSays) {
  const std::vector<std::uint8_t> pixels{1, 1, 1, 2, 2, 2};
  std::string bytes = make_png({2, 1}, pixels.data(), PNG_FORMAT_RGB);
  std::string chunk(
      "eXIf"
      "MM\0*\0\0\0\x08"
      "\0\x01"
      "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
      "\0\0\0\0"sv);
  const auto checksum = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(chunk.data()), static_cast<uInt>(chunk.size())));
  const std::string length{0, 0, 0, static_cast<char>(chunk.size() - 4)};
  for (const int shift : {24, 16, 8, 0}) chunk.push_back(static_cast<char>(checksum >> shift));
  constexpr std::size_t kAfterHeader = 8 + 25;
  bytes.insert(kAfterHeader, length + chunk);
  ImageDecoder decoder;
  const Image& turned = decoder.decode(bytes, "turned.png");
  EXPECT_EQ(turned.size, (Size{1, 2}));
  EXPECT_THAT(turned.rgb, testing::ElementsAre(1, 1, 1, 2, 2, 2));
}

TEST(ImageDecoder, RefusesWhatIsNoPicture) {
  using base::ErrorCode;
  EXPECT_THAT(refusal("", ErrorCode::invalid_argument), HasSubstr("is empty (0 bytes)"));
  EXPECT_THAT(refusal("Dear reader,\nthis is text.", ErrorCode::invalid_argument),
              HasSubstr("neither JPEG, PNG, BMP nor TIFF: it looks like text"));
  EXPECT_THAT(refusal("GIF89a\1\0\1\0", ErrorCode::invalid_argument), HasSubstr("it is a GIF"));
  EXPECT_THAT(refusal("RIFF1234WEBP", ErrorCode::invalid_argument), HasSubstr("it is a WebP"));
  EXPECT_THAT(refusal("RIFF", ErrorCode::invalid_argument), HasSubstr("it looks like text"));
  EXPECT_THAT(refusal("\0\1\2\3"sv, ErrorCode::invalid_argument), HasSubstr("is not known"));
}

TEST(ImageDecoder, RefusesTruncatedPicturesAtEveryLength) {
  const Image original = gradient({40, 40});
  ImageDecoder decoder;
  for (const std::string& whole :
       {encode_jpeg(original), make_png(original.size, original.rgb.data(), PNG_FORMAT_RGB)}) {
    ASSERT_NO_THROW((void)decoder.decode(whole, "whole"));
    for (std::size_t length = 0; length + 12 < whole.size(); ++length) {
      EXPECT_THROW((void)decoder.decode(std::string_view(whole).substr(0, length), "cut"),
                   base::Error)
          << length << " of " << whole.size();
    }
  }
  const std::string whole = encode_jpeg(original);
  EXPECT_THAT(refusal(std::string_view(whole).substr(0, whole.size() * 3 / 4),
                      base::ErrorCode::data_corrupted),
              HasSubstr("is a damaged or truncated JPEG (40x40)"));
  // The decoder is as good as new afterwards.
  EXPECT_EQ(decoder.decode(whole, "whole").size, original.size);
}

TEST(ImageDecoder, RefusesAPictureThatIsTooLargeBeforeDecodingIt) {
  std::string bytes = encode_jpeg(gradient({16, 16}));
  const std::size_t frame = bytes.find("\xFF\xC0"sv);
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\x4E\x20\x4E\x20");  // height and width 20000
  EXPECT_THAT(refusal(bytes, base::ErrorCode::invalid_argument),
              AllOf(HasSubstr("20000x20000"), HasSubstr("at most 16384 a side")));
  bytes.replace(frame + 5, 4, "\x3A\x98\x3A\x98");  // 15000: 225 million pixels
  EXPECT_THAT(refusal(bytes, base::ErrorCode::invalid_argument), HasSubstr("100 million"));
  const std::vector<std::uint8_t> line(20'000 * 3, 1);
  EXPECT_THAT(refusal(make_png({20'000, 1}, line.data(), PNG_FORMAT_RGB),
                      base::ErrorCode::invalid_argument),
              HasSubstr("20000x1"));
}

TEST(ImageDecoder, DecodesASinglePixel) {
  ImageDecoder decoder;
  EXPECT_EQ(decoder.decode(encode_jpeg(gradient({1, 1})), "dot.jpg").size, (Size{1, 1}));
}

TEST(IsImageName, GoesByTheExtensionInAnyCase) {
  for (const char* name : {"a.jpg", "a.JPEG", "b.c.Png"}) EXPECT_TRUE(is_image_name(name)) << name;
  for (const char* name : {"a.txt", "jpg", ".jpg", "a.jpg.tmp", ""}) {
    EXPECT_FALSE(is_image_name(name)) << name;
  }
}

}  // namespace
}  // namespace andon::vision
