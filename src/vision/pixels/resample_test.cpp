// SPDX-License-Identifier: Apache-2.0
// Against bytes that Pillow 13.0 made of the same made-up pictures, whole ones as their FNV-1a
// hash.
#include "vision/pixels/resample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vision/pixels/letterbox.hpp"
#include "vision/pixels/resample_kernels.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAreArray;

Image made_up(Size size) {
  Image image{size, {}};
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const int value = x * x * 7 + y * y * 13 + x * y * 3 + c * 85 + ((x * 31) ^ (y * 17));
        image.rgb.push_back(static_cast<std::uint8_t>(value & 255));
      }
    }
  }
  return image;
}

std::uint64_t hash(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3U;
  return value;
}

std::vector<std::uint8_t> resized(Size from, Size to, ResampleFilter filter) {
  const Image image = made_up(from);
  Resampler resampler;
  resampler.plan(from, to, {0, 0, to.width, to.height}, filter);
  const std::size_t row_bytes = static_cast<std::size_t>(to.width) * 3;
  std::vector<std::uint8_t> out(row_bytes * static_cast<std::size_t>(to.height));
  int next = 0;
  for (int y = 0; y < to.height; ++y) {
    next = std::max(next, resampler.first_row(y));
    for (; next < resampler.end_row(y); ++next) resampler.add_row(next, image.row(next));
    resampler.write_row(y, out.data() + static_cast<std::size_t>(y) * row_bytes);
  }
  return out;
}

TEST(Resampling, GivesPillowsBytes) {
  std::vector<std::uint8_t> bytes = resized({37, 23}, {7, 5}, ResampleFilter::bilinear);
  bytes.resize(21);
  EXPECT_THAT(bytes,
              ElementsAreArray({0x72, 0x8b, 0x78, 0x88, 0x6a, 0x94, 0x79, 0x7b, 0x8a, 0x84, 0x83,
                                0x78, 0x7b, 0x87, 0x85, 0x7d, 0x78, 0x88, 0x7f, 0x77, 0x80}));
  bytes = resized({37, 23}, {7, 5}, ResampleFilter::bicubic);
  bytes.resize(21);
  EXPECT_THAT(bytes,
              ElementsAreArray({0x70, 0x8e, 0x77, 0x8b, 0x66, 0x97, 0x78, 0x7b, 0x8a, 0x88, 0x81,
                                0x76, 0x7a, 0x8b, 0x85, 0x7d, 0x76, 0x89, 0x7f, 0x76, 0x7e}));
}

TEST(Resampling, GivesPillowsBytesAtEveryRatio) {
  struct Vector {
    Size from;
    Size to;
    std::uint64_t bilinear;
    std::uint64_t bicubic;
  };
  const std::vector<Vector> vectors{
      {{37, 23}, {7, 5}, 0x5be69588c4e84c5cU, 0x06ca26d114c58ce4U},
      {{37, 23}, {37, 5}, 0x88a0d143b467b523U, 0xc4a5885df7adf395U},
      {{7, 5}, {16, 11}, 0xdfc9957840edb482U, 0x9610e29b19eae26fU},
      {{64, 48}, {32, 24}, 0xe9bf6b3b6b19763aU, 0xc6ff413c51ba8431U},
      {{300, 200}, {101, 67}, 0xa1a81012ab7af7faU, 0xfd4319524d43877bU},
      {{5, 3}, {1, 1}, 0xfe751e1911b91905U, 0xe43ea01902cf8ea6U},
      {{450, 300}, {336, 224}, 0xc9add16455d3407bU, 0x7009b23431f507fbU},
      // Around where rows come first.
      {{30, 45}, {32, 32}, 0xcde6bc48ed3be23dU, 0x96508c40887348ddU},
      {{45, 30}, {32, 32}, 0x560c773921b4edceU, 0x248ca50518106d55U},
      {{60, 60}, {50, 39}, 0xffe4a6d8cce1a431U, 0x202431ae8e3b6529U},
      {{60, 60}, {50, 40}, 0xd5ce630470362541U, 0x126926d51a4d538bU},
      {{20, 200}, {19, 10}, 0x90ff3940776c9e91U, 0x104ebc50fff8fd8aU},
      {{1, 1}, {4, 4}, 0x6b2ad9676082f8f5U, 0x6b2ad9676082f8f5U},
  };
  for (const Vector& it : vectors) {
    EXPECT_EQ(hash(resized(it.from, it.to, ResampleFilter::bilinear)), it.bilinear)
        << it.from.width << " to " << it.to.width;
    EXPECT_EQ(hash(resized(it.from, it.to, ResampleFilter::bicubic)), it.bicubic)
        << it.from.width << " to " << it.to.width;
  }
}

TEST(Resampling, IsTheSameInEveryKernel) {
  const ResampleKernels* wide = avx2_resampling();
  if (wide == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  for (const ResampleFilter filter : {ResampleFilter::bilinear, ResampleFilter::bicubic}) {
    for (int source = 1; source < 60; source += 3) {
      const Image image = made_up({source, 7});
      for (const int scaled : {1, 2, 5, 16, 33, 59}) {
        ResampleTaps taps;
        taps.plan(source, scaled, 0, scaled, filter);
        // On the heap to the byte, so that a sanitizer sees every read beyond the row.
        const std::vector<std::uint8_t> row(image.rgb.begin(), image.rgb.begin() + source * 3);
        std::vector<std::uint8_t> expected(static_cast<std::size_t>(scaled) * 3);
        std::vector<std::uint8_t> found(expected.size());
        portable_resampling().scale_columns(row.data(), taps, expected.data());
        wide->scale_columns(row.data(), taps, found.data());
        ASSERT_EQ(found, expected) << source << " to " << scaled;
      }
      ResampleTaps down;
      down.plan(7, 2, 0, 2, filter);
      const std::vector<std::uint8_t> ring = image.rgb;
      const std::size_t bytes = image.row_bytes();
      std::vector<std::int32_t> sums(bytes);
      for (const ResampleSpan& span : down.spans) {
        const KeptRows rows{ring.data(), bytes, 7, span.first, down.weights.data() + span.weights,
                            span.count};
        std::vector<std::uint8_t> expected(bytes);
        std::vector<std::uint8_t> found(bytes);
        portable_resampling().mix_rows(rows, sums, expected.data());
        wide->mix_rows(rows, sums, found.data());
        ASSERT_EQ(found, expected) << source;
      }
    }
  }
}

// torchvision's Resize(resize) and CenterCrop(48).
std::uint64_t cropped(Size from, int resize) {
  Preprocessing preprocessing;
  preprocessing.fit = Fit::centre_crop;
  preprocessing.resample = Preprocessing::Resample::bilinear;
  preprocessing.resize = resize;
  preprocessing.divisor = 1;
  constexpr std::size_t kPixels = 48 * 48;
  std::vector<float> tensor(3 * kPixels);
  Letterboxer letterboxer({48, 48}, preprocessing);
  (void)letterboxer.fill(made_up(from), tensor);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < kPixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      bytes.push_back(static_cast<std::uint8_t>(tensor[c * kPixels + i]));
    }
  }
  return hash(bytes);
}

TEST(Resampling, CutsTheCentreAsTorchvisionDoes) {
  EXPECT_EQ(cropped({90, 60}, 0), 0x052e341b3c77ec65U);
  EXPECT_EQ(cropped({90, 60}, 57), 0x3e275501f6283fd8U);
  EXPECT_EQ(cropped({61, 97}, 0), 0x33623f4bf6c14543U);
  EXPECT_EQ(cropped({61, 97}, 57), 0xb84f159e8e84f0a9U);
  EXPECT_EQ(cropped({47, 48}, 0), 0x345f4bda00215f5fU);
  EXPECT_EQ(cropped({47, 48}, 57), 0x75202ad56a91a64eU);
}

}  // namespace
}  // namespace andon::vision
