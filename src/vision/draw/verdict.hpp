// SPDX-License-Identifier: Apache-2.0
// What was found in a picture, in words: a bar below it, so that nothing of the picture is covered.
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "vision/draw/canvas.hpp"
#include "vision/pixels/image.hpp"

namespace andon::vision {

struct Verdict {
  // The lamp before the words: green where nothing was found or all is well, red where something
  // was or is not, amber where it is not sure, and none where a model only tells what a picture
  // shows.
  enum class Lamp { none, green, amber, red } lamp = Lamp::none;
  std::string text;  // "3 found"
  struct Entry {
    Colour colour;
    std::string text;  // "2 scratch"
  };
  std::vector<Entry> entries;  // as many as there is room for, then how many more there are
};

// The height of the bar for a picture of this size.
[[nodiscard]] int verdict_height(Size picture);
// The picture, which must be mixed colours, with the bar below it.
[[nodiscard]] Image with_verdict(const Image& image, const Verdict& verdict);

}  // namespace andon::vision
