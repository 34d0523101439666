// SPDX-License-Identifier: Apache-2.0
#include "vision/annotate.hpp"

#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "vision/anomaly_map.hpp"
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

constexpr double kMostHeat = 0.7;  // of the colour; the rest is the picture

// An anomaly map as heat between 0 and 1, at any place of the picture it covers.
class HeatMap {
 public:
  HeatMap(const Anomaly& anomaly, Size picture, const HeatScale& scale)
      : anomaly_(anomaly), box_(anomaly.map_box) {
    if (box_.width <= 0 || box_.height <= 0) {
      box_ = {0, 0, static_cast<float>(picture.width), static_cast<float>(picture.height)};
    }
    const auto range = value_range(anomaly);
    if (!range) return;
    low_ = scale.low.value_or(range->low);
    high_ = scale.high.value_or(range->high);
  }

  [[nodiscard]] bool is_visible() const { return high_ > low_; }

  // Between the centres of the cells around it, as far from each as it is.
  [[nodiscard]] double at(double x, double y) const {
    const double column = (x - box_.x) / box_.width * anomaly_.map_size.width - 0.5;
    const double row = (y - box_.y) / box_.height * anomaly_.map_size.height - 0.5;
    // Half a cell beyond the outermost centres is still the map.
    if (column < -0.5 || column > anomaly_.map_size.width - 0.5 || row < -0.5 ||
        row > anomaly_.map_size.height - 0.5) {
      return 0;
    }
    const int left = static_cast<int>(std::floor(column));
    const int top = static_cast<int>(std::floor(row));
    const double right_share = column - left;
    const double lower_share = row - top;
    return (1 - lower_share) *
               ((1 - right_share) * cell(left, top) + right_share * cell(left + 1, top)) +
           lower_share *
               ((1 - right_share) * cell(left, top + 1) + right_share * cell(left + 1, top + 1));
  }

 private:
  [[nodiscard]] double cell(int column, int row) const {
    const int x = std::clamp(column, 0, anomaly_.map_size.width - 1);
    const int y = std::clamp(row, 0, anomaly_.map_size.height - 1);
    const double value = double{anomaly_.map[static_cast<std::size_t>(y) *
                                                 static_cast<std::size_t>(anomaly_.map_size.width) +
                                             static_cast<std::size_t>(x)]};
    return std::isfinite(value) ? std::clamp((value - low_) / (high_ - low_), 0.0, 1.0) : 0;
  }

  const Anomaly& anomaly_;
  Box box_;
  double low_ = 0;
  double high_ = 0;
};

}  // namespace

void draw_boxes(Image& image, std::span<const LabelledBox> boxes) {
  constexpr int kPixelsPerScale = 500;
  const int longer = std::max(image.size.width, image.size.height);
  const int scale = std::clamp((longer + kPixelsPerScale / 2) / kPixelsPerScale, 1, 8);
  for (const LabelledBox& box : boxes) draw_box(image, box, scale);
}

void draw_heat(Image& image, const Anomaly& anomaly, const HeatScale& scale) {
  const HeatMap map(anomaly, image.full_size(), scale);
  if (!map.is_visible()) return;
  const Size full = image.full_size();
  const double step_x = static_cast<double>(full.width) / image.size.width;
  const double step_y = static_cast<double>(full.height) / image.size.height;
  for (int y = 0; y < image.size.height; ++y) {
    std::uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.size.width; ++x, pixel += 3) {
      const double heat = map.at((x + 0.5) * step_x, (y + 0.5) * step_y);
      if (heat <= 0) continue;
      const double share = kMostHeat * heat;
      const std::array<double, 3> colour{255, 230 * (1 - heat), 0};
      for (std::size_t c = 0; c < 3; ++c) {
        pixel[c] =
            static_cast<std::uint8_t>(std::lround((1 - share) * pixel[c] + share * colour.at(c)));
      }
    }
  }
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
