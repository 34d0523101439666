// SPDX-License-Identifier: Apache-2.0
// A detector: an ONNX model that was understood, and all that lies between decoded pictures and
// what is found in them. Keeps its buffers between pictures: after the first of a size it takes no
// memory. Belongs to one thread at a time; siblings share the loaded model across threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vision/detect/model_file.hpp"
#include "vision/findings/findings.hpp"
#include "vision/heads/model_spec.hpp"
#include "vision/pixels/letterbox.hpp"
#include "vision/runtime/onnxruntime.hpp"
#include "vision/runtime/session.hpp"

namespace andon::vision {

struct ModelDescription {
  std::vector<std::string> labels;
  Size input;  // the largest, where it follows the picture
  std::size_t anchors = 0;
  std::string task = "detect";  // "segment", "pose", "obb", "classify", "anomaly"
  HeadKind head = HeadKind::yolov8;
  std::string why;  // it was taken for that head
  Preprocessing preprocessing;
  bool follows_picture = false;   // the input takes the shape of each picture
  std::size_t max_batch = 1;      // pictures that one run may take
  std::string provider = "CPU";   // ONNX Runtime's execution provider
  bool has_device_graph = false;  // what runs is the model's device graph (device_graph.hpp)
};

struct DetectorOptions {
  SessionOptions session;
  // For models whose input is not fixed. Given, each picture is brought to it; else the input
  // follows the picture's shape within the metadata's imgsz (or 640x640), as Ultralytics has it.
  std::optional<Size> input_size;
  ModelSpec spec;  // what is said beside the model
  // Whether a model's device graph is run in its place, where the CPU runs it and its input is
  // what the preprocessing makes, with convolutions of our own where this processor gains by them;
  // or as it is stored; or never.
  enum class Graph : std::uint8_t { device, device_as_stored, ordinary } graph = Graph::device;
  std::size_t max_batch = 8;  // for models whose batch is not fixed
};

using Milliseconds = std::chrono::duration<double, std::milli>;

class Detector {
 public:
  // `model` may be freed afterwards. Runs the model once, so that the first picture is as fast as
  // the others and an output that does not fit is found here. Throws invalid_argument that lists
  // what was found in the model and what is understood.
  Detector(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
           const DetectorOptions& options = {});
  // As open_model() has opened it: with its weights, and with what is said beside it in place of
  // `options.spec`.
  Detector(const OnnxRuntime& runtime, const ModelFile& model, const DetectorOptions& options = {});
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;
  ~Detector();

  // The same loaded model for another thread: costs the tensors, not the weights.
  [[nodiscard]] Detector sibling() const;

  [[nodiscard]] const ModelDescription& description() const;
  // The label of a class: the model's own, or "class 7" beyond its list. Valid as long as this is.
  [[nodiscard]] std::string_view label(int class_id) const;
  // Why execution providers that were asked for, or a device graph, are not used.
  [[nodiscard]] const std::vector<std::string>& passed_over_providers() const;

  // Returns to the system what only a run needs; the next one takes it again.
  void release_unused_memory() const;

  struct Result : Findings {
    // Of a batch: of all its pictures together.
    Milliseconds preprocess{};
    Milliseconds inference{};
    Milliseconds postprocess{};
  };
  // The result is valid until the next call.
  const Result& detect(const Image& image, const DetectionOptions& options = {});
  // One run for at most description().max_batch pictures. Where the input follows the picture and
  // their shapes differ, they are brought to the largest input, as Ultralytics does.
  std::span<const Result> detect(std::span<const Image* const> images,
                                 const DetectionOptions& options = {});

 private:
  struct Network;
  struct Implementation;
  explicit Detector(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::vision
