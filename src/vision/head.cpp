// SPDX-License-Identifier: Apache-2.0
#include "vision/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "vision/heads.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;

namespace {

constexpr std::string_view kUnderstood =
    "Understood: a first input float32 [batch,3,height,width], and the outputs of\n"
    "  yolov8      float32 [batch,4+classes,anchors]: YOLOv8, v9, 11, 12 and others without "
    "built-in NMS\n"
    "  yolov8_dfl  the same cut before its boxes: boxes_8 [batch,64,h,w], scores_8 "
    "[batch,classes,h,w], ... _16, _32, or [batch,64+classes,anchors]\n"
    "  yolov8_seg  float32 [batch,4+classes+32,anchors] and [batch,32,h,w]\n"
    "  yolov5      float32 [batch,anchors,5+classes], three anchors a cell\n"
    "  yolox       float32 [batch,cells,5+classes]\n"
    "  end_to_end  float32 [batch,boxes,6]: YOLOv10, YOLO26 and models with built-in NMS\n"
    "  end_to_end_seg  float32 [batch,boxes,6+32] and [batch,32,h,w]\n"
    "  rtdetr      float32 [batch,queries,4+classes] or [batch,queries,6]\n"
    "  detr        labels int64 and scores float32 [batch,queries], boxes float32 "
    "[batch,queries,4]; a second input int64 [batch,2]\n"
    "  detr_logits float32 logits [batch,queries,classes] and boxes [batch,queries,4]\n"
    "  classifier  float32 [batch,classes]\n"
    "  anomaly     a score float32 [batch] or [batch,1], a map float32 [batch,1,h,w], or both\n"
    "Say `head: NAME` in a YAML file beside the model where its metadata do not tell";

}  // namespace

std::size_t grid_cells(Size input) {
  std::size_t cells = 0;
  for (const int stride : std::array{8, 16, 32}) {
    cells += static_cast<std::size_t>(input.width / stride) *
             static_cast<std::size_t>(input.height / stride);
  }
  return cells;
}

std::string_view metadata_value(const Session& session, const std::string& key) {
  const auto entry = session.metadata().find(key);
  return entry == session.metadata().end() ? std::string_view{} : std::string_view(entry->second);
}

std::vector<std::size_t> readable_outputs(const Session& session) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < session.outputs().size(); ++i) {
    if (session.outputs()[i].type != ElementType::other) indices.push_back(i);
  }
  return indices;
}

void refuse_model(const Session& session, std::string_view why) {
  std::string found;
  for (const TensorInfo& input : session.inputs()) found += "\n  input  " + to_string(input);
  for (const TensorInfo& output : session.outputs()) found += "\n  output " + to_string(output);
  for (const char* key : {"task", "names", "imgsz", "description", "andon_head"}) {
    const std::string_view value = metadata_value(session, key);
    if (!value.empty()) found += fmt::format("\n  metadata {} = {}", key, value.substr(0, 100));
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} is not a model that andon understands: {}. Found:{}\n{}",
                          session.name(), why, found, kUnderstood));
}

std::unique_ptr<Head> make_head(const HeadPlan& plan) {
  switch (plan.kind) {
    case HeadKind::yolov8:
      return make_anchor_head(plan);
    case HeadKind::yolov8_dfl:
      return make_dfl_head(plan);
    case HeadKind::yolov8_seg:
    case HeadKind::end_to_end_seg:
      return make_segment_head(plan);
    case HeadKind::yolov5:
    case HeadKind::yolox:
      return make_row_head(plan);
    case HeadKind::end_to_end:
      return make_end_to_end_head(plan);
    case HeadKind::rtdetr:
    case HeadKind::detr:
    case HeadKind::detr_logits:
      return make_query_head(plan);
    case HeadKind::classifier:
      return make_classifier_head(plan);
    case HeadKind::anomaly:
      return make_anomaly_head(plan);
  }
  throw Error(ErrorCode::internal, "there is no such head");
}

Preprocessing preprocessing_of(HeadKind kind, const Session& session, const ModelSpec& spec,
                               Size input) {
  Preprocessing result;
  if (kind == HeadKind::yolox) {
    result.fit = Fit::letterbox_top_left;
    result.channels = Preprocessing::Channels::bgr;
    result.divisor = 1;
  } else if (kind == HeadKind::rtdetr || kind == HeadKind::detr || kind == HeadKind::detr_logits ||
             kind == HeadKind::anomaly) {
    result.fit = Fit::stretch;
    if (kind != HeadKind::rtdetr) result.resample = Preprocessing::Resample::bilinear;
  } else if (kind == HeadKind::classifier) {
    const bool is_ultralytics = !metadata_value(session, "task").empty();
    // Ultralytics crops only to squares.
    const bool is_cut = !is_ultralytics || input.width == input.height;
    result.fit = is_cut ? Fit::centre_crop : Fit::stretch;
    result.resample = Preprocessing::Resample::bilinear;
    // Ultralytics' classifiers take 0 to 1; nearly all others what ImageNet's pictures average.
    if (!is_ultralytics) {
      result.mean = {0.485F, 0.456F, 0.406F};
      result.deviation = {0.229F, 0.224F, 0.225F};
    }
  }
  if (spec.fit) result.fit = *spec.fit;
  if (spec.channels) result.channels = *spec.channels;
  if (spec.divisor) result.divisor = *spec.divisor;
  if (spec.resample) result.resample = *spec.resample;
  if (spec.resize) {
    if (*spec.resize < std::min(input.width, input.height)) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("model description: resize is {}, less than the model's input of "
                              "{}x{}",
                              *spec.resize, input.width, input.height));
    }
    result.resize = *spec.resize;
  }
  if (spec.mean) result.mean = *spec.mean;
  if (spec.deviation) result.deviation = *spec.deviation;
  return result;
}

}  // namespace andon::vision
