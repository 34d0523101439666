// SPDX-License-Identifier: Apache-2.0
// What a model is: which head, which classes, how its input wants pictures. Read from the model's
// metadata and shapes; what they do not tell may be said beside the model (docs/vision.md). Plain
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "vision/letterbox.hpp"

namespace andon::vision {

enum class HeadKind : std::uint8_t {
  yolov8,          // [N,4+classes,anchors]: v8, v9, 11, 12, also v5u
  yolov8_dfl,      // the same network cut before its decoding of boxes
  yolov8_seg,      // [N,4+classes+32,anchors] and prototypes [N,32,h,w]
  yolov5,          // [N,anchors,5+classes]
  yolox,           // the same shape, other boxes
  end_to_end,      // [N,boxes,6]: v10, 26 and models with built-in suppression
  end_to_end_seg,  // [N,boxes,6+32] and prototypes [N,32,h,w]
  rtdetr,          // [N,queries,4+classes] or [N,queries,6], in parts of the input
  detr,            // labels, boxes, scores; takes the picture's size as a second input
  detr_logits,     // [N,queries,classes] and [N,queries,4], in parts of the input
  classifier,      // [N,classes]
  anomaly,         // a score, a map, or both
};
[[nodiscard]] std::string_view to_string(HeadKind kind);
[[nodiscard]] std::optional<HeadKind> head_kind(std::string_view name);
// "detect", "segment", "classify" or "anomaly".
[[nodiscard]] std::string_view task_of(HeadKind kind);

// What somebody says about a model. Empty members are read from the model.
struct ModelSpec {
  std::optional<HeadKind> head;
  std::vector<std::string> labels;
  std::optional<Size> input_size;  // for an input that is not fixed
  std::optional<Fit> fit;
  std::optional<Preprocessing::Channels> channels;
  std::optional<float> divisor;
  std::optional<Preprocessing::Resample> resample;
  std::optional<int> resize;  // the short side before a centre crop
  std::optional<std::array<float, 3>> mean;
  std::optional<std::array<float, 3>> deviation;
  // yolox: true where the model itself turns grid cells into boxes.
  std::optional<bool> is_decoded;
};

// Out of {"head", "labels", "inputSize", "fit", "channels", "divisor", "resample", "resize",
// "mean", "std", "decoded"}. Throws invalid_argument naming the member and what it may be.
[[nodiscard]] ModelSpec parse_model_spec(const base::json::value& value);

}  // namespace andon::vision
