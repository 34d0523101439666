// SPDX-License-Identifier: Apache-2.0
// An anomaly detector's map in few bytes: 256 levels of grey, no larger than asked for, as a PNG.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vision/findings/findings.hpp"

namespace andon::vision {

struct ValueRange {
  float low = 0;
  float high = 0;
};
// Of the values that are numbers; nothing where none is.
[[nodiscard]] std::optional<ValueRange> value_range(const Anomaly& anomaly);

struct GreyMap {
  Size size;
  Box box;           // what of the picture it covers
  ValueRange range;  // of the levels 0 and 255
  std::vector<std::uint8_t> levels;
};

// At most `side` cells a side. Where cells are put together the highest value counts, so that a
// small defect stays as hot as it is. Nothing where the model has no map.
[[nodiscard]] std::optional<GreyMap> to_grey(const Anomaly& anomaly, int side);

// 8-bit grey.
[[nodiscard]] std::string encode_png(const GreyMap& map);

}  // namespace andon::vision
