// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/annotate.hpp"

#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "base/error/error.hpp"
#include "vision/draw/canvas.hpp"
#include "vision/draw/label_layout.hpp"
#include "vision/findings/anomaly_map.hpp"

namespace andon::vision {
namespace {

// How far a picture's own light shows through the shade inside a frame.
constexpr double kShade = 0.45;

Area pixels_of(const Box& box) {
  const auto pixel = [](double place) {
    constexpr double kMost = 1e8;
    return static_cast<int>(std::lround(std::clamp(place, -kMost, kMost)));
  };
  return {pixel(box.x), pixel(box.y), pixel(double{box.x} + double{box.width}),
          pixel(double{box.y} + double{box.height})};
}

void draw_frame(Image& image, Area area, int line, Colour colour, double share) {
  const Area inner{area.left + line, area.top + line, area.right - line, area.bottom - line};
  fill(image, {area.left, area.top, area.right, std::min(inner.top, area.bottom)}, colour, share);
  if (inner.bottom <= inner.top) return;
  fill(image, {area.left, inner.bottom, area.right, area.bottom}, colour, share);
  fill(image, {area.left, inner.top, std::min(inner.left, area.right), inner.bottom}, colour,
       share);
  if (inner.right > inner.left) {
    fill(image, {inner.right, inner.top, area.right, inner.bottom}, colour, share);
  }
}

// A line in the class's colour, and inside it a darker one, so that it is seen on any ground.
void draw_box(Image& image, const LabelledBox& labelled, int line) {
  const Area area = pixels_of(labelled.box);
  draw_frame(image, area, line, class_colour(labelled.class_id), 1);
  const Area inside{area.left + line, area.top + line, area.right - line, area.bottom - line};
  const int shade = std::max(1, line / 3);
  if (inside.right - inside.left > 2 * shade && inside.bottom - inside.top > 2 * shade) {
    draw_frame(image, inside, shade, kBlack, kShade);
  }
}

void draw_labels(Image& image, std::span<const LabelledBox> boxes, const DrawingScale& scale) {
  const double margins = 2.0 * scale.margin;
  const double height = std::round(scale.letters) + margins;
  const double room = image.size.width - margins;
  const auto most = static_cast<std::size_t>(std::max(0.0, room / letter_pitch(scale.letters)));
  constexpr std::size_t kFewest = 3;  // fewer letters say nothing
  std::vector<std::string> texts;
  std::vector<Label> labels;
  for (const LabelledBox& box : boxes) {
    const std::string& text = texts.emplace_back(cut_text(box.label, most));
    const bool is_shown = !text.empty() && most >= std::min(kFewest, count_letters(box.label));
    labels.push_back(
        {box.box, is_shown ? std::ceil(text_width(text, scale.letters)) + margins : 0, height});
  }
  const auto corners = place_labels(labels, image.size);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!corners[i]) continue;
    const int left = static_cast<int>(std::lround(corners[i]->left));
    const int top = static_cast<int>(std::lround(corners[i]->top));
    const Colour colour = class_colour(boxes[i].class_id);
    fill(image,
         {left, top, left + static_cast<int>(labels[i].width), top + static_cast<int>(height)},
         colour);
    draw_text(image, texts[i], left + scale.margin, top + scale.margin, scale.letters,
              ink_on(colour));
  }
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
  const DrawingScale scale = drawing_scale(image.size);
  for (std::size_t i = boxes.size(); i-- > 0;) draw_box(image, boxes[i], scale.line);
  draw_labels(image, boxes, scale);
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
