// SPDX-License-Identifier: Apache-2.0
// Pictures in a page: scaled down and embedded as JPEG, with boxes drawn over them as vectors, so
// that they stay sharp on paper. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "evaluate/labels/dataset.hpp"

namespace andon::report {

enum class BoxStyle {
  labelled,  // an object that was found
  missed,    // an object that was not
  right,     // a finding
  wrong,
  first,  // of two models
  second,
};

struct OverlayBox {
  evaluate::Rectangle box;  // in pixels of the file's picture
  std::string label;
  BoxStyle style = BoxStyle::labelled;
  double strength = 1;  // whose label gives way where there is no room: the weaker one
};

struct Picture {
  base::fs::path file;
  std::string caption;
  std::vector<OverlayBox> boxes;
};

// A <figure>: all boxes, then their labels, each where it can be read. A label that finds no place
// at its box is left out; the box tells it when it is pointed at. Where the file cannot be read any
// more, it says so.
[[nodiscard]] std::string picture(const Picture& picture);
// The file's picture as a JPEG whose longer side is `long_side` at most, without boxes. Throws what
// keeps the file from being read or decoded.
[[nodiscard]] std::string small_jpeg(const base::fs::path& file, int long_side);
// What the styles mean, for those that are used.
[[nodiscard]] std::string picture_legend(
    const std::vector<std::pair<BoxStyle, std::string>>& styles);

}  // namespace andon::report
