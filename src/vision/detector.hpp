// SPDX-License-Identifier: Apache-2.0
// A detector: an ONNX model that was understood, and all that lies between a decoded picture and
// its detections. Keeps its buffers between pictures; belongs to one thread at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vision/detections.hpp"
#include "vision/letterbox.hpp"
#include "vision/onnxruntime.hpp"

namespace andon::vision {

// What a model says about itself and what its shapes say.
struct ModelDescription {
  std::vector<std::string> labels;  // one a class
  Size input;
  std::size_t anchors = 0;
  std::string task = "detect";
};

// Understood: one float32 input [1,3,H,W] and, first of the outputs, float32 [1,4+classes,anchors]
// as YOLOv8, v9 and v11 export it. Dimensions that are not fixed are taken from `input_size`, else
// from the metadata (imgsz), else 640x640; `anchors` is then 0, since only a run can tell. Throws
// invalid_argument that lists what was found and what is understood.
[[nodiscard]] ModelDescription describe_model(const Session& session, std::string_view name,
                                              std::optional<Size> input_size);

struct DetectorOptions {
  SessionOptions session;
  std::optional<Size> input_size;  // for models whose input is not fixed
};

using Milliseconds = std::chrono::duration<double, std::milli>;

class Detector {
 public:
  // `model` may be freed afterwards. Runs the model once, so that the first picture is as fast as
  // the others and an output that does not fit is found here.
  Detector(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
           const DetectorOptions& options = {});

  [[nodiscard]] const ModelDescription& description() const { return description_; }
  // The label of a class: the model's own, or "class 7" beyond its list.
  [[nodiscard]] std::string label(int class_id) const;

  // Returns to the system what only a run needs; the next one takes it again.
  void release_unused_memory() const { runtime_.release_unused_memory(); }

  struct Result {
    std::vector<Detection> detections;
    Milliseconds preprocess{};
    Milliseconds inference{};
    Milliseconds postprocess{};
  };
  [[nodiscard]] Result detect(const Image& image, const DetectionOptions& options = {});

 private:
  const OnnxRuntime& runtime_;
  Session session_;
  ModelDescription description_;
  Letterboxer letterboxer_;
  std::span<float> input_;
};

}  // namespace andon::vision
