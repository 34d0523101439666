// SPDX-License-Identifier: Apache-2.0
// Where labels stand, so that each can be read: at their box, inside the picture, and on no other
// label. Stronger ones choose first, weaker ones give way. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vision/findings/findings.hpp"
#include "vision/pixels/image.hpp"

namespace andon::vision {

struct Label {
  Box box;           // what it is about
  double width = 0;  // of the label; 0: there is none
  double height = 0;
};
struct LabelCorner {
  double left = 0;
  double top = 0;
};

// `labels`: strongest first. One entry each: its upper left corner, or nothing where no place at
// its box is free. Places that cover little of other boxes go before others.
[[nodiscard]] std::vector<std::optional<LabelCorner>> place_labels(std::span<const Label> labels,
                                                                   Size picture);

}  // namespace andon::vision
