// SPDX-License-Identifier: Apache-2.0
// The metadata texts that exporters write into ONNX files: Python or JSON literals such as
// {0: 'scratch', 1: "dent"} and [320, 320]. Pure; any thread. They come from outside: every parser
// throws invalid_argument saying what was found.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vision/heads/model_spec.hpp"
#include "vision/pixels/image.hpp"

namespace andon::vision {

// {0: 'a', 1: 'b'}, {"0": "a"} or ['a', 'b']: labels by class id. Ids may come in any order but
// without gaps; at most 10,000 classes.
[[nodiscard]] std::vector<std::string> parse_names(std::string_view text);

// "32", or one a level: "[8, 16, 32]". The largest of them.
[[nodiscard]] int parse_stride(std::string_view text);

// "[height, width]" or "side".
[[nodiscard]] Size parse_image_size(std::string_view text);

// "[17, 3]": how many keypoints, and 2 or 3 values each.
[[nodiscard]] KeypointShape parse_keypoint_shape(std::string_view text);

// What {'nms': True, 'batch': 1} says of `key`: nothing where it is not there, no truth value, or
// behind something that is not understood. Does not throw.
[[nodiscard]] std::optional<bool> parse_flag(std::string_view text, std::string_view key);

}  // namespace andon::vision
