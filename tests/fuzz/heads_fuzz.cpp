// SPDX-License-Identifier: Apache-2.0
// Whatever a network of any family puts out, what is found lies in the picture and is finite.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error/error.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/draw/figures.hpp"
#include "vision/findings/anomaly_map.hpp"
#include "vision/heads/head.hpp"

using namespace andon::vision;

namespace {

constexpr std::size_t kClasses = 2;
constexpr Size kInput{64, 64};

// An output whose values are the fuzzer's bytes, over and over.
struct Tensor {
  std::vector<float> values;
  std::vector<std::int64_t> integers;
  std::vector<std::int64_t> shape;

  [[nodiscard]] Session::Output view() const { return {values, integers, shape}; }
};

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  template <typename Value>
  Value next() {
    Value value{};
    for (std::size_t i = 0; i < sizeof value; ++i) {
      reinterpret_cast<std::uint8_t*>(&value)[i] = data_[at_++ % size_];
    }
    return value;
  }

  Tensor floats(std::vector<std::int64_t> shape) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    std::size_t count = 1;
    for (const std::int64_t it : tensor.shape) count *= static_cast<std::size_t>(it);
    for (std::size_t i = 0; i < count; ++i) tensor.values.push_back(next<float>());
    return tensor;
  }

  Tensor integers(std::vector<std::int64_t> shape, std::size_t count) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    for (std::size_t i = 0; i < count; ++i) tensor.integers.push_back(next<std::int64_t>());
    return tensor;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

std::vector<Tensor> outputs_of(const HeadPlan& plan, Bytes& bytes) {
  switch (plan.kind) {
    case HeadKind::yolov8:
      return {bytes.floats({1, 6, 84})};
    case HeadKind::yolov8_dfl: {
      std::vector<Tensor> levels;
      for (const std::int64_t side : {8, 4, 2}) {
        levels.push_back(bytes.floats({1, 64, side, side}));
        levels.push_back(bytes.floats({1, 2, side, side}));
      }
      return levels;
    }
    case HeadKind::yolov8_seg:
      return {bytes.floats({1, 38, 84}), bytes.floats({1, 32, 16, 16})};
    case HeadKind::yolov8_pose:
      return {bytes.floats({1, static_cast<std::int64_t>(6 + plan.keypoints.size()), 84})};
    case HeadKind::yolov8_obb:
      return {bytes.floats({1, 7, 84})};
    case HeadKind::end_to_end_pose:
      return {bytes.floats({1, 20, static_cast<std::int64_t>(6 + plan.keypoints.size())})};
    case HeadKind::end_to_end_obb:
      return {bytes.floats({1, 50, 7})};
    case HeadKind::yolov7_end_to_end:
      return {bytes.floats({50, 7})};
    case HeadKind::yolov5:
    case HeadKind::yolox:
      return {bytes.floats({1, 84, 7})};
    case HeadKind::end_to_end_seg:
      return {bytes.floats({1, 50, 38}), bytes.floats({1, 32, 16, 16})};
    case HeadKind::detr_logits:
      return {bytes.floats({1, 20, plan.has_nothing ? 3 : 2}), bytes.floats({1, 20, 4})};
    case HeadKind::end_to_end:
    case HeadKind::rtdetr:  // also with rows of score and class
      return {bytes.floats({1, 50, 6})};
    case HeadKind::detr:
      return {bytes.integers({1, 20}, 20), bytes.floats({1, 20, 4}), bytes.floats({1, 20})};
    case HeadKind::classifier:
      return {bytes.floats({1, 2})};
    case HeadKind::anomaly:
      return {bytes.floats({1, 1}), bytes.floats({1, 1, 4, 4})};
  }
  return {};
}

void check(const Findings& found, Size source) {
  for (const Detection& it : found.detections) {
    const Box& box = it.box;
    const bool is_inside = box.x >= 0 && box.y >= 0 && box.width >= 0 && box.height >= 0 &&
                           box.x + box.width <= static_cast<float>(source.width) * 1.001F &&
                           box.y + box.height <= static_cast<float>(source.height) * 1.001F;
    if (!is_inside || it.class_id < 0 || it.class_id >= 2) std::abort();
  }
  if (!found.rotated.empty() && found.rotated.size() != found.detections.size()) std::abort();
  for (const RotatedBox& it : found.rotated) {
    if (!(it.width > 0 && it.height > 0) || !std::isfinite(it.centre_x + it.centre_y + it.width) ||
        !(it.angle >= -0.7854F && it.angle <= 2.3562F)) {
      std::abort();
    }
  }
  for (const Keypoint& it : found.keypoints) {
    const bool is_inside = it.x >= 0 && it.y >= 0 && it.x <= static_cast<float>(source.width) &&
                           it.y <= static_cast<float>(source.height);
    const float confidence = it.confidence.value_or(1);
    if (!is_inside || !(confidence >= 0 && confidence <= 1)) std::abort();
  }
  for (const Mask& mask : found.masks) {
    std::size_t pixels = 0;
    for (const std::uint32_t count : mask.counts) pixels += count;
    if (pixels !=
        static_cast<std::size_t>(source.width) * static_cast<std::size_t>(source.height)) {
      std::abort();
    }
  }
}

void draw_all(const Findings& found, Size source) {
  Image image{source, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(source.height));
  for (const RotatedBox& it : found.rotated) draw_rotated_box(image, it, 0);
  draw_keypoints(image, found.keypoints, 0, Limbs::of_a_person);
}

void check_anomaly(const Anomaly& anomaly, Size source) {
  if (!std::isfinite(anomaly.score)) std::abort();
  const auto map = to_grey(anomaly, 3);
  if (map && (map->size.width > 3 || map->size.height > 3 || encode_png(*map).empty())) {
    std::abort();
  }
  Image image{source, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(source.height));
  draw_heat(image, anomaly);
  draw_heat(image, anomaly, {0, 1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  HeadPlan plan;
  plan.kind = static_cast<HeadKind>(data[0] % (static_cast<int>(HeadKind::anomaly) + 1));
  plan.classes = kClasses;
  plan.is_decoded = data[1] % 2 == 0;
  plan.has_score = plan.has_map = true;
  plan.keypoints = {4, data[1] % 2 == 0 ? std::size_t{2} : std::size_t{3}};
  plan.has_picked = data[1] % 4 >= 2;
  plan.has_nothing = data[1] % 8 >= 4;
  plan.outputs.resize(plan.kind == HeadKind::yolov8_dfl ? 6 : 1);
  const Size source{1 + data[2], 1 + data[3]};
  Bytes bytes(data + 4, size - 4);
  const std::vector<Tensor> tensors = outputs_of(plan, bytes);
  std::vector<Session::Output> outputs;
  for (const Tensor& tensor : tensors) outputs.push_back(tensor.view());
  const auto head = make_head(plan);
  DetectionOptions options;
  options.confidence = static_cast<float>(data[1]) / 255.0F;
  Findings found;
  const auto fit = static_cast<Fit>(data[1] % 4);
  try {
    head->decode(outputs, 0, plan_letterbox(source, kInput, fit), options, found);
  } catch (const andon::base::Error&) {  // of an anomaly score that is no number
    return 0;
  }
  check(found, source);
  draw_all(found, source);
  if (found.anomaly) check_anomaly(*found.anomaly, source);
  return 0;
}
