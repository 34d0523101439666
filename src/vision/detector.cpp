// SPDX-License-Identifier: Apache-2.0
#include "vision/detector.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "vision/metadata.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

constexpr Size kUsualInput{640, 640};
constexpr std::int64_t kMaxSide = 16'384;
constexpr std::int64_t kMaxClasses = 10'000;

[[noreturn]] void refuse(const Session& session, std::string_view name, std::string_view why) {
  std::string found;
  for (const TensorInfo& input : session.inputs()) found += "\n  input  " + to_string(input);
  for (const TensorInfo& output : session.outputs()) found += "\n  output " + to_string(output);
  for (const char* key : {"task", "names", "imgsz"}) {
    const auto entry = session.metadata().find(key);
    if (entry == session.metadata().end()) continue;
    found += fmt::format("\n  metadata {} = {}", key, entry->second.substr(0, 100));
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} is not a model that andon understands: {}. Found:{}\n"
                          "Understood: one input float32 [1,3,height,width] and a first output "
                          "float32 [1,4+classes,anchors], as YOLOv8, v9 and v11 detectors are "
                          "exported without built-in NMS",
                          name, why, found));
}

// One dimension must be `wanted`, or not fixed.
bool fits(std::int64_t dimension, std::int64_t wanted) {
  return dimension == wanted || dimension < 0;
}

std::optional<std::string> metadata_value(const Session& session, const std::string& key) {
  const auto entry = session.metadata().find(key);
  if (entry == session.metadata().end()) return std::nullopt;
  return entry->second;
}

Size input_size(const Session& session, std::string_view name, std::optional<Size> wanted) {
  if (session.inputs().size() != 1) refuse(session, name, "it has not exactly one input");
  const TensorInfo& input = session.inputs().front();
  if (input.type != ElementType::float32) refuse(session, name, "its input is not float32");
  if (input.shape.size() != 4 || !fits(input.shape[0], 1) || !fits(input.shape[1], 3)) {
    refuse(session, name, "its input is not [1,3,height,width]");
  }
  Size usual = wanted.value_or(kUsualInput);
  if (!wanted) {
    if (const auto text = metadata_value(session, "imgsz")) usual = parse_image_size(*text);
  }
  const auto side = [&](std::int64_t fixed, int otherwise) {
    if (fixed == 0 || fixed > kMaxSide) refuse(session, name, "its input has an impossible size");
    return fixed < 0 ? otherwise : static_cast<int>(fixed);
  };
  return {side(input.shape[3], usual.width), side(input.shape[2], usual.height)};
}

// Classes by an output's shape; the anchors may be unknown (-1).
std::int64_t count_classes(const Session& session, std::string_view name,
                           const std::vector<std::int64_t>& shape) {
  if (shape.size() != 3 || !fits(shape[0], 1)) {
    refuse(session, name, "its output is not [1,4+classes,anchors]");
  }
  const std::int64_t channels = shape[1];
  if (channels >= 0 && (channels < 5 || channels > 4 + kMaxClasses)) {
    refuse(session, name,
           fmt::format("{} channels are not 4 and a score for each class", channels));
  }
  if (channels >= 0 && shape[2] >= 0 && shape[2] < channels) {
    refuse(session, name,
           "its output has fewer anchors than channels; the two may be swapped, or it is the "
           "output of a model that does its own NMS");
  }
  return channels < 0 ? -1 : channels - 4;
}

}  // namespace

ModelDescription describe_model(const Session& session, std::string_view name,
                                std::optional<Size> wanted_size) {
  ModelDescription description;
  try {
    description.input = input_size(session, name, wanted_size);
    if (const auto task = metadata_value(session, "task")) description.task = *task;
    if (description.task != "detect") {
      refuse(session, name, fmt::format("its task is '{}', not 'detect'", description.task));
    }
    if (session.outputs().empty()) refuse(session, name, "it has no output");
    const TensorInfo& output = session.outputs().front();
    if (output.type != ElementType::float32) refuse(session, name, "its output is not float32");
    const std::int64_t classes = count_classes(session, name, output.shape);
    if (const auto names = metadata_value(session, "names")) {
      description.labels = parse_names(*names);
      if (classes >= 0 && std::cmp_not_equal(classes, description.labels.size())) {
        refuse(session, name,
               fmt::format("its output has {} classes, but its metadata names {}", classes,
                           description.labels.size()));
      }
    }
    for (std::int64_t id = static_cast<std::int64_t>(description.labels.size()); id < classes;
         ++id) {
      description.labels.push_back(fmt::format("class {}", id));
    }
    if (output.shape[2] > 0) description.anchors = static_cast<std::size_t>(output.shape[2]);
  } catch (Error& error) {
    if (error.message().starts_with(name)) throw;
    throw error.with_context(name);
  }
  return description;
}

Detector::Detector(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
                   const DetectorOptions& options)
    : runtime_(runtime),
      session_(runtime, model, name, options.session),
      description_(describe_model(session_, name, options.input_size)),
      letterboxer_(description_.input),
      input_(session_.bind_input({1, 3, description_.input.height, description_.input.width})) {
  const Session::Output& output = session_.run();
  const std::int64_t classes = count_classes(session_, name, output.shape);
  for (std::size_t id = description_.labels.size(); std::cmp_less(id, classes); ++id) {
    description_.labels.push_back(fmt::format("class {}", id));
  }
  if (std::cmp_not_equal(classes, description_.labels.size())) {
    refuse(session_, name,
           fmt::format("its output has {} classes, but its metadata names {}", classes,
                       description_.labels.size()));
  }
  description_.anchors = static_cast<std::size_t>(output.shape[2]);
  release_unused_memory();  // the first run's blocks have other sizes
}

std::string Detector::label(int class_id) const {
  const auto index = static_cast<std::size_t>(class_id);
  if (class_id >= 0 && index < description_.labels.size()) return description_.labels[index];
  return fmt::format("class {}", class_id);
}

Detector::Result Detector::detect(const Image& image, const DetectionOptions& options) {
  Result result;
  const auto start = SteadyClock::now();
  const LetterboxPlan plan = letterboxer_.fill(image, input_);
  const auto filled = SteadyClock::now();
  const Session::Output& output = session_.run();
  const auto inferred = SteadyClock::now();
  result.detections = decode_detections(
      {output.values, description_.labels.size(), description_.anchors}, plan, options);
  result.preprocess = filled - start;
  result.inference = inferred - filled;
  result.postprocess = SteadyClock::now() - inferred;
  return result;
}

}  // namespace andon::vision
