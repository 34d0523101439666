// SPDX-License-Identifier: Apache-2.0
// The metadata texts that exporters write into ONNX files: Python or JSON literals such as
// {0: 'scratch', 1: "dent"} and [320, 320]. Pure; any thread. They come from outside: every parser
// throws invalid_argument saying what was found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vision/image.hpp"

namespace andon::vision {

// {0: 'a', 1: 'b'}, {"0": "a"} or ['a', 'b']: labels by class id. Ids may come in any order but
// without gaps; at most 10,000 classes.
[[nodiscard]] std::vector<std::string> parse_names(std::string_view text);

// "[height, width]" or "side".
[[nodiscard]] Size parse_image_size(std::string_view text);

}  // namespace andon::vision
