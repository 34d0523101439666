// SPDX-License-Identifier: Apache-2.0
#include "vision/annotate.hpp"

#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "vision/font.hpp"

namespace andon::vision {
namespace {

struct Colour {
  std::uint8_t red;
  std::uint8_t green;
  std::uint8_t blue;
};

// Bright enough for black letters on them, and told apart by colour-blind people (Okabe and Ito).
constexpr std::array<Colour, 6> kColours{
    {{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {213, 94, 0}, {204, 121, 167}}};
constexpr Colour kInk{0, 0, 0};

// Fills [left, right) x [top, bottom), clipped to the picture.
void fill(Image& image, int left, int top, int right, int bottom, Colour colour) {
  left = std::max(left, 0);
  right = std::min(right, image.size.width);
  for (int y = std::max(top, 0); y < std::min(bottom, image.size.height); ++y) {
    for (int x = left; x < right; ++x) {
      std::uint8_t* pixel = image.row(y) + static_cast<std::size_t>(x) * 3;
      pixel[0] = colour.red;
      pixel[1] = colour.green;
      pixel[2] = colour.blue;
    }
  }
}

void draw_text(Image& image, std::string_view text, int left, int top, int scale) {
  for (const char character : text) {
    const std::string_view dots = glyph(character);
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < kGlyphWidth; ++x) {
        if (dots[static_cast<std::size_t>(y * kGlyphWidth + x)] != '#') continue;
        fill(image, left + x * scale, top + y * scale, left + (x + 1) * scale,
             top + (y + 1) * scale, kInk);
      }
    }
    left += (kGlyphWidth + 1) * scale;
  }
}

void draw_box(Image& image, const LabelledBox& labelled, int scale) {
  const Colour colour =
      kColours.at(static_cast<std::size_t>(std::abs(labelled.class_id)) % kColours.size());
  const int line = scale + 1;
  const int left = static_cast<int>(std::lround(labelled.box.x));
  const int top = static_cast<int>(std::lround(labelled.box.y));
  const int right = static_cast<int>(std::lround(labelled.box.x + labelled.box.width));
  const int bottom = static_cast<int>(std::lround(labelled.box.y + labelled.box.height));
  fill(image, left, top, right, top + line, colour);
  fill(image, left, bottom - line, right, bottom, colour);
  fill(image, left, top, left + line, bottom, colour);
  fill(image, right - line, top, right, bottom, colour);
  if (labelled.label.empty()) return;
  const int text_width = static_cast<int>(labelled.label.size()) * (kGlyphWidth + 1) * scale;
  const int plate_height = (kGlyphHeight + 2) * scale;
  // Above the box where there is room, else inside it; moved left where it would leave the picture.
  const int plate_top = top >= plate_height ? top - plate_height : top;
  const int plate_left = std::max(0, std::min(left, image.size.width - text_width - scale));
  fill(image, plate_left, plate_top, plate_left + text_width + scale, plate_top + plate_height,
       colour);
  draw_text(image, labelled.label, plate_left + scale, plate_top + scale, scale);
}

}  // namespace

void draw_boxes(Image& image, std::span<const LabelledBox> boxes) {
  constexpr int kPixelsPerScale = 500;
  const int longer = std::max(image.size.width, image.size.height);
  const int scale = std::clamp((longer + kPixelsPerScale / 2) / kPixelsPerScale, 1, 8);
  for (const LabelledBox& box : boxes) draw_box(image, box, scale);
}

std::string encode_jpeg(const Image& image, int quality) {
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int result =
      encoder == nullptr
          ? -1
          : tjCompress2(encoder.get(), image.rgb.data(), image.size.width, 0, image.size.height,
                        TJPF_RGB, &bytes, &size, TJSAMP_420, quality, 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, tjFree);
  if (result != 0) {
    throw base::Error(base::ErrorCode::internal,
                      fmt::format("cannot encode a {}x{} JPEG: {}", image.size.width,
                                  image.size.height, tjGetErrorStr2(encoder.get())));
  }
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace andon::vision
