// SPDX-License-Identifier: Apache-2.0
// Whatever a network puts out, what is found lies in the picture, is finite and in order.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "vision/testing/decode_detections.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5 + sizeof(float)) return 0;
  const std::size_t classes = 1 + data[0] % 8U;
  const andon::vision::Size source{1 + data[1] * 8, 1 + data[2] * 8};
  andon::vision::DetectionOptions options;
  options.confidence = static_cast<float>(data[3]) / 255.0F;
  options.iou = static_cast<float>(data[4]) / 255.0F;
  std::vector<float> values((size - 5) / sizeof(float));
  std::memcpy(values.data(), data + 5, values.size() * sizeof(float));
  const std::size_t anchors = values.size() / (4 + classes);
  values.resize(anchors * (4 + classes));
  const auto plan = andon::vision::plan_letterbox(source, {320, 320});
  const auto found = andon::vision::decode_detections({values, classes, anchors}, plan, options);
  if (found.size() > options.max_detections) std::abort();
  float before = INFINITY;
  for (const auto& [class_id, confidence, box] : found) {
    const bool is_inside = box.x >= 0 && box.y >= 0 && box.width >= 0 && box.height >= 0 &&
                           box.x + box.width <= static_cast<float>(source.width) * 1.001F &&
                           box.y + box.height <= static_cast<float>(source.height) * 1.001F;
    const bool is_known = class_id >= 0 && static_cast<std::size_t>(class_id) < classes;
    if (!is_inside || !is_known || !(confidence > options.confidence) || confidence > before) {
      std::abort();
    }
    before = confidence;
  }
  return 0;
}
