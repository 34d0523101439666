// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/anomaly_map.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cmath>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

// The same shape, at most `side` cells a side.
Size fitted(Size size, int side) {
  const int longer = std::max(size.width, size.height);
  if (longer <= side) return size;
  const double ratio = static_cast<double>(side) / longer;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(length * ratio)));
  };
  return {scaled(size.width), scaled(size.height)};
}

// The highest value of the cells that fall into cell (x, y) of a map of `size`; NaN where none is
// a number.
float highest(const Anomaly& anomaly, Size size, int x, int y) {
  const auto first = [](int at, int from, int to) {
    return static_cast<int>(static_cast<std::int64_t>(at) * from / to);
  };
  const int from_x = first(x, anomaly.map_size.width, size.width);
  const int to_x = first(x + 1, anomaly.map_size.width, size.width);
  const int from_y = first(y, anomaly.map_size.height, size.height);
  const int to_y = first(y + 1, anomaly.map_size.height, size.height);
  float result = std::nanf("");
  for (int row = from_y; row < to_y; ++row) {
    const float* values = anomaly.map.data() + static_cast<std::size_t>(row) *
                                                   static_cast<std::size_t>(anomaly.map_size.width);
    for (int column = from_x; column < to_x; ++column) {
      const float value = values[column];
      if (std::isfinite(value) && !(value <= result)) result = value;
    }
  }
  return result;
}

}  // namespace

std::optional<ValueRange> value_range(const Anomaly& anomaly) {
  std::optional<ValueRange> range;
  for (const float value : anomaly.map) {
    if (!std::isfinite(value)) continue;
    if (!range) range = {value, value};
    range->low = std::min(range->low, value);
    range->high = std::max(range->high, value);
  }
  return range;
}

std::optional<GreyMap> to_grey(const Anomaly& anomaly, int side) {
  const auto range = value_range(anomaly);
  if (!range || side < 1) return std::nullopt;
  GreyMap map{fitted(anomaly.map_size, side), anomaly.map_box, *range, {}};
  // In double: the span of two floats may be more than a float holds.
  const double span = double{range->high} - double{range->low};
  for (int y = 0; y < map.size.height; ++y) {
    for (int x = 0; x < map.size.width; ++x) {
      const float value = highest(anomaly, map.size, x, y);
      const double share =
          std::isfinite(value) && span > 0 ? (double{value} - double{range->low}) / span : 0;
      map.levels.push_back(static_cast<std::uint8_t>(std::lround(share * 255)));
    }
  }
  return map;
}

std::string encode_png(const GreyMap& map) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(map.size.width);
  image.height = static_cast<png_uint_32>(map.size.height);
  image.format = PNG_FORMAT_GRAY;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, map.levels.data(), 0, nullptr) ==
      0) {
    throw base::Error(base::ErrorCode::internal,
                      fmt::format("cannot encode a {}x{} PNG: {}", map.size.width, map.size.height,
                                  image.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace andon::vision
