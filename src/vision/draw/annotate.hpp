// SPDX-License-Identifier: Apache-2.0
// Pictures for people: boxes and labels drawn with a small built-in font, anomaly maps as heat, and
// JPEG out.
// Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vision/heads/detections.hpp"
#include "vision/pixels/image.hpp"

namespace andon::vision {

struct LabelledBox {
  Box box;
  int class_id = 0;   // chooses the colour (class_colour)
  std::string label;  // UTF-8; cut where the picture is not wide enough
};

// `boxes`: strongest first. Weaker frames are drawn before stronger ones, and then the labels, each
// where it can be read: one that finds no place beside stronger ones is left out. Line width and
// letters grow with the picture (drawing_scale).
void draw_boxes(Image& image, std::span<const LabelledBox> boxes);

// Values that are drawn cold and hot; what is not given is the map's own lowest and highest.
struct HeatScale {
  std::optional<double> low;
  std::optional<double> high;
  bool operator==(const HeatScale&) const = default;
};
// The map over the picture: nothing at the low end, then yellow, up to red. Draws nothing where
// there is no map.
void draw_heat(Image& image, const Anomaly& anomaly, const HeatScale& scale = {});

// Quality 1 to 100.
[[nodiscard]] std::string encode_jpeg(const Image& image, int quality = 90);

}  // namespace andon::vision
