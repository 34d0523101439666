// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/canvas.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "base/text/utf8.hpp"
#include "vision/draw/font.hpp"

namespace andon::vision {
namespace {

// Okabe and Ito's, the bright ones.
constexpr std::array<Colour, 6> kColours{
    {{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {213, 94, 0}, {204, 121, 167}}};

// A dot of the font, in heights of a capital: seven rows, and letters a little narrower than wide.
constexpr double kDot = 1.0 / kCapitalRows;
constexpr double kStepAcross = 0.86 * kDot;
constexpr double kStrokeWidth = 1.02 * kDot;
constexpr double kPitch = (kGlyphWidth + 1.1) * kStepAcross;

Colour of_hue(double hue) {
  // Of full colour and middle brightness (HSL with saturation 0.65 and lightness 0.6).
  const auto channel = [&](double shift) {
    const double place = std::fmod(hue + shift, 1.0) * 12;
    const double value = 0.6 - 0.26 * std::max(-1.0, std::min({place - 3, 9 - place, 1.0}));
    return static_cast<std::uint8_t>(std::lround(255 * value));
  };
  return {channel(0), channel(8.0 / 12), channel(4.0 / 12)};
}

void blend(std::uint8_t* pixel, Colour colour, double share) {
  if (share >= 1) {
    pixel[0] = colour.red;
    pixel[1] = colour.green;
    pixel[2] = colour.blue;
    return;
  }
  const std::array<std::uint8_t, 3> channels{colour.red, colour.green, colour.blue};
  for (std::size_t c = 0; c < channels.size(); ++c) {
    pixel[c] =
        static_cast<std::uint8_t>(std::lround((1 - share) * pixel[c] + share * channels.at(c)));
  }
}

struct Point {
  double x = 0;
  double y = 0;
};
struct Stroke {
  Point from;
  Point to;
};

// The dots of a letter joined to lines: beside and above each other, and across a corner where no
// third dot joins them already. In dots.
std::vector<Stroke> strokes_of(char character) {
  const std::string_view dots = glyph(character);
  const auto is_set = [&](int row, int column) {
    return row >= 0 && row < kGlyphHeight && column >= 0 && column < kGlyphWidth &&
           dots[static_cast<std::size_t>(row * kGlyphWidth + column)] == '#';
  };
  std::vector<Stroke> strokes;
  for (int row = 0; row < kGlyphHeight; ++row) {
    for (int column = 0; column < kGlyphWidth; ++column) {
      if (!is_set(row, column)) continue;
      const Point here{static_cast<double>(column), static_cast<double>(row)};
      strokes.push_back({here, here});
      const auto join = [&](int down, int right) {
        if (is_set(row + down, column + right)) {
          strokes.push_back({here, {here.x + right, here.y + down}});
        }
      };
      join(0, 1);
      join(1, 0);
      if (!is_set(row, column + 1) && !is_set(row + 1, column)) join(1, 1);
      if (!is_set(row, column - 1) && !is_set(row + 1, column)) join(1, -1);
    }
  }
  return strokes;
}

double distance(const Point& point, const Stroke& stroke) {
  const double dx = stroke.to.x - stroke.from.x;
  const double dy = stroke.to.y - stroke.from.y;
  const double length = dx * dx + dy * dy;
  const double along =
      length > 0
          ? std::clamp(((point.x - stroke.from.x) * dx + (point.y - stroke.from.y) * dy) / length,
                       0.0, 1.0)
          : 0;
  return std::hypot(point.x - stroke.from.x - along * dx, point.y - stroke.from.y - along * dy);
}

// A letter's ink, pixel by pixel, so that strokes which meet do not add up.
class Ink {
 public:
  Ink(Size size, Point corner, double height)
      : left_(static_cast<int>(std::floor(corner.x)) - 1),
        top_(static_cast<int>(std::floor(corner.y)) - 1),
        width_(static_cast<int>(std::ceil(kPitch * height)) + 4),
        height_(static_cast<int>(std::ceil(kGlyphHeight * kDot * height)) + 4),
        size_(size),
        shares_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

  // In pixels of the picture.
  void add(const Stroke& stroke, double half_width) {
    const double by = half_width + 1;
    const auto [left, right] = std::minmax(stroke.from.x, stroke.to.x);
    const auto [top, bottom] = std::minmax(stroke.from.y, stroke.to.y);
    const auto low = [&](double place, int start) {
      return std::max(start, static_cast<int>(std::floor(place - by)));
    };
    const auto high = [&](double place, int start, int count) {
      return std::min(start + count, static_cast<int>(std::ceil(place + by)));
    };
    for (int y = low(top, top_); y < high(bottom, top_, height_); ++y) {
      for (int x = low(left, left_); x < high(right, left_, width_); ++x) {
        const double outside = distance({x + 0.5, y + 0.5}, stroke) - half_width;
        float& share = shares_[index(x, y)];
        share = std::max(share, static_cast<float>(std::clamp(0.5 - outside, 0.0, 1.0)));
      }
    }
  }

  void put_on(Image& image, Colour colour) const {
    for (int y = std::max(0, top_); y < std::min(size_.height, top_ + height_); ++y) {
      for (int x = std::max(0, left_); x < std::min(size_.width, left_ + width_); ++x) {
        const float share = shares_[index(x, y)];
        if (share > 0) {
          blend(image.row(y) + static_cast<std::size_t>(x) * 3, colour, double{share});
        }
      }
    }
  }

 private:
  [[nodiscard]] std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y - top_) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(x - left_);
  }

  int left_;
  int top_;
  int width_;
  int height_;
  Size size_;
  std::vector<float> shares_;
};

void draw_letter(Image& image, const std::vector<Stroke>& strokes, Point corner, double height,
                 Colour colour) {
  const auto place = [&](const Point& dot) {
    return Point{corner.x + (dot.x + 0.5) * kStepAcross * height,
                 corner.y + (dot.y + 0.5) * kDot * height};
  };
  Ink ink(image.size, corner, height);
  for (const Stroke& dots : strokes) {
    ink.add({place(dots.from), place(dots.to)}, kStrokeWidth * height / 2);
  }
  ink.put_on(image, colour);
}

// As the font has it.
char letter_of(char32_t point) {
  if (point < 0x80) return static_cast<char>(point);
  // Latin-1's letters from U+00C0 on, without their marks.
  constexpr std::string_view kBare =
      "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYPsaaaaaaaceeeeiiiidnooooo/ouuuuypy";
  if (point >= 0xC0 && point < 0xC0 + kBare.size()) return kBare[point - 0xC0];
  return '?';
}

std::string letters_of(std::string_view text) {
  std::string letters;
  for (const char32_t point : base::to_code_points(base::to_valid_utf8(text)))
    letters.push_back(letter_of(point));
  return letters;
}

}  // namespace

Colour class_colour(int class_id) {
  const auto number = static_cast<std::size_t>(std::abs(static_cast<long>(class_id)));
  if (number < kColours.size()) return kColours.at(number);
  constexpr double kGolden = 0.618033988749895;  // neighbours are far apart
  return of_hue(std::fmod(static_cast<double>(number) * kGolden, 1.0));
}

Colour ink_on(Colour ground) {
  const double light = 0.299 * ground.red + 0.587 * ground.green + 0.114 * ground.blue;
  return light > 110 ? kBlack : kWhite;
}

void fill(Image& image, Area area, Colour colour, double share) {
  const int left = std::max(area.left, 0);
  const int right = std::min(area.right, image.size.width);
  for (int y = std::max(area.top, 0); y < std::min(area.bottom, image.size.height); ++y) {
    for (int x = left; x < right; ++x) {
      blend(image.row(y) + static_cast<std::size_t>(x) * 3, colour, share);
    }
  }
}

DrawingScale drawing_scale(Size picture) {
  const double longer = std::max(picture.width, picture.height);
  DrawingScale scale;
  scale.letters = std::max(12.0, longer / 46);
  scale.line = std::max(2, static_cast<int>(std::lround(longer / 320)));
  scale.margin = std::max(3, static_cast<int>(std::lround(scale.letters * 0.3)));
  return scale;
}

double letter_pitch(double height) {
  return kPitch * height;
}

double text_width(std::string_view text, double height) {
  const auto letters = static_cast<double>(count_letters(text));
  return letters > 0 ? (letters * kPitch - (kPitch - kGlyphWidth * kStepAcross)) * height : 0;
}

void draw_text(Image& image, std::string_view text, double left, double top, double height,
               Colour ink) {
  std::map<char, std::vector<Stroke>> known;
  for (const char letter : letters_of(text)) {
    auto found = known.find(letter);
    if (found == known.end()) found = known.emplace(letter, strokes_of(letter)).first;
    draw_letter(image, found->second, {left, top}, height, ink);
    left += kPitch * height;
  }
}

std::size_t count_letters(std::string_view text) {
  return letters_of(text).size();
}

std::string cut_text(std::string_view text, std::size_t letters) {
  std::string all = letters_of(text);
  if (all.size() <= letters) return std::string(text);
  all.resize(letters);
  if (!all.empty()) all.back() = '.';
  return all;
}

}  // namespace andon::vision
