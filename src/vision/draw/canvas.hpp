// SPDX-License-Identifier: Apache-2.0
// What is drawn into pictures: areas, and letters of any size with smooth edges. Everything is
// clipped to the picture. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vision/pixels/image.hpp"

namespace andon::vision {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  bool operator==(const Colour&) const = default;
};
inline constexpr Colour kBlack{0, 0, 0};
inline constexpr Colour kWhite{255, 255, 255};

// Always the same for a class. The first ones are told apart by colour-blind people, too.
[[nodiscard]] Colour class_colour(int class_id);
// Black or white, whichever is easier to read on it.
[[nodiscard]] Colour ink_on(Colour ground);

// Half-open, in pixels.
struct Area {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;
};
// `share`: of the colour, 0 to 1; the rest is the picture.
void fill(Image& image, Area area, Colour colour, double share = 1);

// Sizes of what is drawn, in pixels, for a picture of this size: they grow with it, so that it
// looks the same however many pixels it has, but are never too small to read.
struct DrawingScale {
  double letters = 12;  // height of a capital
  int line = 2;         // width
  int margin = 3;       // around letters
};
[[nodiscard]] DrawingScale drawing_scale(Size picture);

// Letters of one width. `height` is that of a capital; some reach below the line by 2/7 of it.
[[nodiscard]] double text_width(std::string_view text, double height);
[[nodiscard]] double letter_pitch(double height);
// (left, top) is the upper left corner of the first capital. UTF-8; letters with marks are drawn
// without them, what the font does not have as '?'.
void draw_text(Image& image, std::string_view text, double left, double top, double height,
               Colour ink);
// How many letters that makes, as draw_text draws it, and the text cut to so many of them: the last
// one is a '.' then.
[[nodiscard]] std::size_t count_letters(std::string_view text);
[[nodiscard]] std::string cut_text(std::string_view text, std::size_t letters);

}  // namespace andon::vision
