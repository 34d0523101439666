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

#include "base/json/fwd.hpp"
#include "vision/pixels/letterbox.hpp"

namespace andon::vision {

enum class HeadKind : std::uint8_t {
  yolov8,             // [N,4+classes,anchors]: v8, v9, 11, 12, also v5u
  yolov8_dfl,         // the same network cut before its decoding of boxes
  yolov8_seg,         // [N,4+classes+32,anchors] and prototypes [N,32,h,w]
  yolov8_pose,        // [N,4+classes+keypoints,anchors]
  yolov8_obb,         // [N,4+classes+angle,anchors]
  yolov5,             // [N,anchors,5+classes]
  yolox,              // the same shape, other boxes
  end_to_end,         // [N,boxes,6]: v10, 26 and models with built-in suppression
  end_to_end_seg,     // [N,boxes,6+32] and prototypes [N,32,h,w]
  end_to_end_pose,    // [N,boxes,6+keypoints]
  end_to_end_obb,     // [N,boxes,7]: centre, size, score, class, angle
  yolov7_end_to_end,  // [boxes,7]: picture, corners, class, score
  rtdetr,             // [N,queries,4+classes] or [N,queries,6], in parts of the input
  detr,               // labels, boxes, scores; takes the picture's size as a second input
  detr_logits,        // [N,queries,classes] and [N,queries,4], in parts of the input
  classifier,         // [N,classes]
  anomaly,            // a score, a map, or both
};
// All below out of the one table of families (family.hpp).
[[nodiscard]] std::string_view to_string(HeadKind kind);
[[nodiscard]] std::optional<HeadKind> head_kind(std::string_view name);
[[nodiscard]] std::string head_names();  // "yolov5, yolox, ..."
// "detect", "segment", "pose", "obb", "classify" or "anomaly".
[[nodiscard]] std::string_view task_of(HeadKind kind);

// How many keypoints a detection has, and values each: x, y and, where there are three, how surely
// it is to be seen.
struct KeypointShape {
  std::size_t count = 0;
  std::size_t values = 0;
  [[nodiscard]] std::size_t size() const { return count * values; }
  bool operator==(const KeypointShape&) const = default;
};
inline constexpr int kMaxKeypoints = 1'000;

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
  std::optional<KeypointShape> keypoints;  // of a pose model whose metadata do not tell
  bool operator==(const ModelSpec&) const = default;
};

// Out of {"head", "labels", "inputSize", "fit", "channels", "divisor", "resample", "resize",
// "mean", "std", "decoded", "keypoints"}. Throws invalid_argument naming the member and what it may
// be.
[[nodiscard]] ModelSpec parse_model_spec(const base::json::value& value);

// The same as a YAML file; empty for a spec that says nothing.
[[nodiscard]] std::string to_yaml(const ModelSpec& spec);

// `usual`, but for what the spec says. Throws invalid_argument for what cannot be with that input.
[[nodiscard]] Preprocessing preprocessing_as_said(Preprocessing usual, const ModelSpec& spec,
                                                  Size input);

}  // namespace andon::vision
