// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace andon::vision {
namespace {

constexpr Colour kGround{24, 28, 33};
constexpr Colour kWords{240, 243, 246};
constexpr Colour kGreen{46, 194, 98};
constexpr Colour kAmber{245, 158, 11};
constexpr Colour kRed{240, 68, 56};

// A disc, smooth at its edge.
void draw_lamp(Image& image, double x, double y, double radius, Colour colour) {
  for (int row = static_cast<int>(y - radius) - 1; row < y + radius + 1; ++row) {
    for (int column = static_cast<int>(x - radius) - 1; column < x + radius + 1; ++column) {
      const double outside = std::hypot(column + 0.5 - x, row + 0.5 - y) - radius;
      const double share = std::clamp(0.5 - outside, 0.0, 1.0);
      if (share > 0) fill(image, {column, row, column + 1, row + 1}, colour, share);
    }
  }
}

// Writes from left to right while there is room.
class Line {
 public:
  Line(Image& image, int top, int height, double letters)
      : image_(image),
        top_(top),
        height_(height),
        letters_(letters),
        left_(letters),
        end_(image.size.width - letters * 0.6) {}

  void lamp(Colour colour) {
    const double radius = letters_ * 0.55;
    draw_lamp(image_, left_ + radius, top_ + height_ / 2.0, radius, colour);
    left_ += 2 * radius + letters_ * 0.6;
  }

  // Cut where there is no room for all of it.
  void words(const std::string& text) {
    const auto room = static_cast<std::size_t>(std::max(0.0, (end_ - left_) / pitch()));
    const std::string shown = cut_text(text, room);
    draw_text(image_, shown, left_, baseline(), letters_, kWords);
    left_ += text_width(shown, letters_) + letters_ * 1.5;
  }

  [[nodiscard]] double room() const { return end_ - left_; }
  [[nodiscard]] double width_of(const std::string& text) const {
    return swatch() + text_width(text, letters_) + letters_ * 1.2;
  }

  void entry(const Verdict::Entry& entry) {
    const double side = letters_;
    const Area area{static_cast<int>(std::lround(left_)), static_cast<int>(std::lround(baseline())),
                    static_cast<int>(std::lround(left_ + side)),
                    static_cast<int>(std::lround(baseline() + side))};
    fill(image_, area, entry.colour);
    draw_text(image_, entry.text, left_ + swatch(), baseline(), letters_, kWords);
    left_ += width_of(entry.text);
  }

 private:
  [[nodiscard]] double pitch() const { return letter_pitch(letters_); }
  [[nodiscard]] double swatch() const { return letters_ * 1.45; }
  [[nodiscard]] double baseline() const { return std::round(top_ + (height_ - letters_) / 2); }

  Image& image_;
  int top_;
  int height_;
  double letters_;
  double left_;
  double end_;
};

std::string more(std::size_t count) {
  return fmt::format("+{} more", count);
}

void draw_entries(Line& line, const std::vector<Verdict::Entry>& entries) {
  double needed = 0;
  for (const Verdict::Entry& entry : entries) needed += line.width_of(entry.text);
  const bool fit = needed <= line.room();
  const double reserved = fit ? 0 : line.width_of(more(entries.size()));
  std::size_t shown = 0;
  while (shown < entries.size() && line.width_of(entries[shown].text) + reserved <= line.room()) {
    line.entry(entries[shown++]);
  }
  const std::string rest = more(entries.size() - shown);
  if (shown < entries.size() && line.width_of(rest) <= line.room()) line.words(rest);
}

}  // namespace

int verdict_height(Size picture) {
  return static_cast<int>(std::lround(drawing_scale(picture).letters * 2.1));
}

Image with_verdict(const Image& image, const Verdict& verdict) {
  const int height = verdict_height(image.size);
  Image result{{image.size.width, image.size.height + height}, image.rgb};
  result.rgb.resize(result.row_bytes() * static_cast<std::size_t>(result.size.height));
  fill(result, {0, image.size.height, result.size.width, result.size.height}, kGround);
  Line line(result, image.size.height, height, drawing_scale(image.size).letters);
  if (verdict.lamp != Verdict::Lamp::none) {
    line.lamp(verdict.lamp == Verdict::Lamp::green   ? kGreen
              : verdict.lamp == Verdict::Lamp::amber ? kAmber
                                                     : kRed);
  }
  line.words(verdict.text);
  draw_entries(line, verdict.entries);
  return result;
}

}  // namespace andon::vision
