// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "vision/heads.hpp"
#include "vision/metadata.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMaxClasses = 10'000;
constexpr std::int64_t kBoxBins = 4 * 16;
constexpr std::int64_t kMaskWeights = 32;
constexpr std::int64_t kMostBoxes = 1'000;  // of a model that suppresses overlaps itself

constexpr std::string_view kUnderstood =
    "Understood: a first input float32 [batch,3,height,width], and the outputs of\n"
    "  yolov8      float32 [batch,4+classes,anchors]: YOLOv8, v9, v11 without built-in NMS\n"
    "  yolov8_dfl  the same cut before its boxes: boxes_8 [batch,64,h,w], scores_8 "
    "[batch,classes,h,w], ... _16, _32, or [batch,64+classes,anchors]\n"
    "  yolov8_seg  float32 [batch,4+classes+32,anchors] and [batch,32,h,w]\n"
    "  yolov5      float32 [batch,anchors,5+classes], three anchors a cell\n"
    "  yolox       float32 [batch,cells,5+classes]\n"
    "  end_to_end  float32 [batch,boxes,6]: YOLOv10 and models with built-in NMS\n"
    "  rtdetr      float32 [batch,queries,4+classes]\n"
    "  detr        labels int64 and scores float32 [batch,queries], boxes float32 "
    "[batch,queries,4]; a second input int64 [batch,2]\n"
    "  classifier  float32 [batch,classes]\n"
    "  anomaly     a score float32 [batch] or [batch,1], a map float32 [batch,1,h,w], or both\n"
    "Say `head: NAME` in a YAML file beside the model where its metadata do not tell";

struct Found {
  std::size_t index;  // of the session's outputs
  std::string name;
  Shape shape;
  ElementType type;
};

// What recognise() goes by.
class Evidence {
 public:
  Evidence(const Session& session, const ModelSpec& spec, Size input,
           std::span<const Session::Output> outputs)
      : session_(session), spec_(spec), input_(input) {
    const std::vector<std::size_t> indices = readable_outputs(session);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const TensorInfo& info = session.outputs()[indices[i]];
      found_.push_back({indices[i], info.name, outputs[i].shape, info.type});
    }
    names_ = static_cast<std::int64_t>(spec.labels.size());
    if (names_ == 0) {
      const std::string_view names = metadata_value(session, "names");
      if (!names.empty()) names_ = static_cast<std::int64_t>(parse_names(names).size());
    }
  }

  [[nodiscard]] HeadPlan plan() const {
    HeadPlan plan;
    plan.kind = kind();
    switch (plan.kind) {
      case HeadKind::yolov8:
        fit_planes(plan, 4, 0);
        break;
      case HeadKind::yolov8_seg:
        fit_planes(plan, 4, kMaskWeights);
        add_prototypes(plan);
        break;
      case HeadKind::yolov8_dfl:
        if (named("boxes_8") != nullptr) {
          fit_levels(plan);
        } else {
          fit_planes(plan, kBoxBins, 0);
          check_grid(plan.anchors);
        }
        break;
      case HeadKind::yolov5:
      case HeadKind::yolox:
        fit_rows(plan, 5);
        if (plan.kind == HeadKind::yolox) check_grid(plan.anchors);
        break;
      case HeadKind::rtdetr:
        fit_rows(plan, 4);
        break;
      case HeadKind::end_to_end:
        fit_end_to_end(plan);
        break;
      case HeadKind::detr:
        fit_detr(plan);
        break;
      case HeadKind::classifier:
        fit_classifier(plan);
        break;
      case HeadKind::anomaly:
        fit_anomaly(plan);
        break;
    }
    check_names(plan);
    return plan;
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const { refuse_model(session_, why); }

  [[nodiscard]] const Found* named(std::string_view name) const {
    const auto it = std::find_if(found_.begin(), found_.end(),
                                 [&](const Found& found) { return found.name == name; });
    return it == found_.end() ? nullptr : &*it;
  }

  // The first float32 output of so many dimensions.
  [[nodiscard]] const Found* of_rank(std::size_t rank) const {
    const auto it = std::find_if(found_.begin(), found_.end(), [&](const Found& found) {
      return found.type == ElementType::float32 && found.shape.size() == rank;
    });
    return it == found_.end() ? nullptr : &*it;
  }

  [[nodiscard]] HeadKind kind() const {
    if (spec_.head) return *spec_.head;
    const std::string_view head = metadata_value(session_, "andon_head");
    if (!head.empty()) {
      const auto said = head_kind(head);
      if (!said) refuse(fmt::format("its metadata say andon_head = {}", head));
      return *said;
    }
    const std::string_view task = metadata_value(session_, "task");
    if (task == "classify") return HeadKind::classifier;
    if (task == "segment") return HeadKind::yolov8_seg;
    if (task == "anomaly") return HeadKind::anomaly;
    if (!task.empty() && task != "detect") refuse(fmt::format("its task is '{}'", task));
    return kind_by_shape();
  }

  [[nodiscard]] HeadKind kind_by_shape() const {
    if (found_.empty()) refuse("it has no output of float32 or int64");
    if (named("boxes_8") != nullptr && named("scores_8") != nullptr) return HeadKind::yolov8_dfl;
    if (named("labels") != nullptr && named("boxes") != nullptr && named("scores") != nullptr) {
      return HeadKind::detr;
    }
    if (named("anomaly_map") != nullptr || named("pred_score") != nullptr) {
      return HeadKind::anomaly;
    }
    const Found* planes = of_rank(3);
    const Found* maps = of_rank(4);
    if (planes != nullptr && maps != nullptr && maps->shape[1] == kMaskWeights) {
      return HeadKind::yolov8_seg;
    }
    if (planes != nullptr) return kind_of_planes(planes->shape);
    if (maps != nullptr && maps->shape[1] == 1) return HeadKind::anomaly;
    if (const Found* row = of_rank(2); row != nullptr && row->shape[1] > 1) {
      return HeadKind::classifier;
    }
    refuse("none of its outputs has a shape that is understood");
  }

  [[nodiscard]] HeadKind kind_of_planes(const Shape& shape) const {
    const auto cells = static_cast<std::int64_t>(grid_cells(input_));
    if (shape[1] == 0 && shape[2] == 6) return HeadKind::end_to_end;
    if (shape[1] == 3 * cells && shape[2] > 5) return HeadKind::yolov5;
    if (shape[1] == cells && shape[2] > 5) return HeadKind::yolox;
    if (shape[1] <= kMostBoxes && shape[1] > shape[2]) {
      const bool says_detr =
          metadata_value(session_, "description").find("DETR") != std::string_view::npos ||
          metadata_value(session_, "description").find("rtdetr") != std::string_view::npos;
      if (shape[2] == 6 && !says_detr) return HeadKind::end_to_end;
      if (shape[2] > 4 && (says_detr || (names_ > 0 && shape[2] == 4 + names_))) {
        return HeadKind::rtdetr;
      }
    }
    // The cut network and one with sixty classes more look the same but for their names.
    if (names_ > 0 && shape[1] == kBoxBins + names_ && shape[2] == cells) {
      return HeadKind::yolov8_dfl;
    }
    return HeadKind::yolov8;
  }

  [[nodiscard]] const Found& need(const Found* found, std::string_view what) const {
    if (found == nullptr) refuse(fmt::format("it has no output {}", what));
    if (std::any_of(found->shape.begin(), found->shape.end(), [](auto it) { return it < 1; })) {
      refuse(fmt::format("its output {} is empty", found->name));
    }
    return *found;
  }

  [[nodiscard]] std::size_t class_count(std::int64_t count, std::string_view what) const {
    if (count < 1 || count > kMaxClasses) refuse(what);
    return static_cast<std::size_t>(count);
  }

  void fit_planes(HeadPlan& plan, std::int64_t before, std::int64_t after) const {
    const Found& planes = need(of_rank(3), "float32 [batch,channels,anchors]");
    const std::int64_t channels = planes.shape[1];
    if (planes.shape[2] < channels) {
      refuse(fmt::format("its output {} has fewer anchors than channels; the two may be swapped",
                         planes.name));
    }
    plan.outputs = {planes.index};
    plan.classes = class_count(
        channels - before - after,
        fmt::format("{} channels are not {} and a score for each class", channels, before + after));
    plan.anchors = static_cast<std::size_t>(planes.shape[2]);
  }

  void add_prototypes(HeadPlan& plan) const {
    const Found& maps = need(of_rank(4), "float32 [batch,32,height,width]");
    if (maps.shape[1] != kMaskWeights) refuse("its prototype masks are not 32");
    plan.outputs.push_back(maps.index);
  }

  void fit_levels(HeadPlan& plan) const {
    const std::string_view bins = metadata_value(session_, "andon_reg_max");
    if (!bins.empty() && bins != "16") refuse("its andon_reg_max is not 16");
    for (const int stride : std::array{8, 16, 32}) {
      const std::string boxes_name = fmt::format("boxes_{}", stride);
      const std::string scores_name = fmt::format("scores_{}", stride);
      const Found& boxes = need(named(boxes_name), boxes_name);
      const Found& scores = need(named(scores_name), scores_name);
      const bool fits =
          boxes.shape.size() == 4 && scores.shape.size() == 4 && boxes.shape[1] == kBoxBins &&
          boxes.shape[2] == scores.shape[2] && boxes.shape[3] == scores.shape[3] &&
          boxes.shape[2] == input_.height / stride && boxes.shape[3] == input_.width / stride &&
          boxes.type == ElementType::float32 && scores.type == ElementType::float32;
      if (!fits) refuse(fmt::format("{} and {} do not go together", boxes_name, scores_name));
      const std::size_t classes = class_count(scores.shape[1], "it has too many classes");
      if (plan.classes != 0 && plan.classes != classes) refuse("its levels differ in classes");
      plan.classes = classes;
      plan.outputs.insert(plan.outputs.end(), {boxes.index, scores.index});
      plan.anchors += static_cast<std::size_t>(boxes.shape[2] * boxes.shape[3]);
    }
  }

  void check_grid(std::size_t anchors) const {
    if (anchors != grid_cells(input_)) {
      refuse(
          fmt::format("an input of {}x{} has {} cells over strides of 8, 16 and 32, its output "
                      "has {}",
                      input_.width, input_.height, grid_cells(input_), anchors));
    }
  }

  void fit_rows(HeadPlan& plan, std::int64_t before) const {
    const Found& rows = need(of_rank(3), "float32 [batch,boxes,values]");
    plan.outputs = {rows.index};
    plan.classes = class_count(
        rows.shape[2] - before,
        fmt::format("{} values are not {} and a score for each class", rows.shape[2], before));
    plan.anchors = static_cast<std::size_t>(rows.shape[1]);
    plan.is_decoded = spec_.is_decoded.value_or(false);
  }

  void fit_end_to_end(HeadPlan& plan) const {
    const Found* rows = of_rank(3);  // empty where nothing was found
    if (rows == nullptr || rows->shape[2] != 6) refuse("it has no output [batch,boxes,6]");
    plan.outputs = {rows->index};
    plan.anchors = static_cast<std::size_t>(rows->shape[1]);
    plan.classes = static_cast<std::size_t>(names_ > 0 ? names_ : kMaxClasses);
  }

  void fit_detr(HeadPlan& plan) const {
    const Found& labels = need(named("labels"), "labels");
    const Found& boxes = need(named("boxes"), "boxes");
    const Found& scores = need(named("scores"), "scores");
    const bool fits = labels.type == ElementType::int64 && labels.shape.size() == 2 &&
                      boxes.type == ElementType::float32 && boxes.shape.size() == 3 &&
                      boxes.shape[1] == labels.shape[1] && boxes.shape[2] == 4 &&
                      scores.type == ElementType::float32 && scores.shape == labels.shape;
    if (!fits) refuse("its labels, boxes and scores do not go together");
    plan.outputs = {labels.index, boxes.index, scores.index};
    plan.anchors = static_cast<std::size_t>(labels.shape[1]);
    plan.classes = static_cast<std::size_t>(names_ > 0 ? names_ : kMaxClasses);
  }

  void fit_classifier(HeadPlan& plan) const {
    const Found& row = need(of_rank(2), "float32 [batch,classes]");
    plan.outputs = {row.index};
    plan.classes = class_count(row.shape[1], "it has too many classes");
  }

  void fit_anomaly(HeadPlan& plan) const {
    const Found* score = nullptr;
    const Found* map = nullptr;
    for (const Found& found : found_) {
      if (found.type != ElementType::float32) continue;
      const Shape& shape = found.shape;
      const bool is_map = (shape.size() == 4 && shape[1] == 1) || shape.size() == 3;
      const bool is_score = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
      if (is_map && map == nullptr) map = &found;
      if (is_score && score == nullptr) score = &found;
    }
    if (score == nullptr && map == nullptr) refuse("it has neither a score nor a map");
    plan.has_score = score != nullptr;
    plan.has_map = map != nullptr;
    if (score != nullptr) plan.outputs.push_back(need(score, "score").index);
    if (map != nullptr) plan.outputs.push_back(need(map, "map").index);
  }

  void check_names(HeadPlan& plan) const {
    const bool tells_classes = plan.kind != HeadKind::anomaly &&
                               plan.kind != HeadKind::end_to_end && plan.kind != HeadKind::detr;
    if (names_ > 0 && tells_classes && std::cmp_not_equal(plan.classes, names_)) {
      refuse(fmt::format("its output has {} classes, but {} are named", plan.classes, names_));
    }
  }

  const Session& session_;
  const ModelSpec& spec_;
  Size input_;
  std::vector<Found> found_;
  std::int64_t names_ = 0;  // 0: nobody names the classes
};

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

HeadPlan recognise(const Session& session, const ModelSpec& spec, Size input,
                   std::span<const Session::Output> outputs) {
  return Evidence(session, spec, input, outputs).plan();
}

std::unique_ptr<Head> make_head(const HeadPlan& plan) {
  switch (plan.kind) {
    case HeadKind::yolov8:
      return make_anchor_head(plan);
    case HeadKind::yolov8_dfl:
      return make_dfl_head(plan);
    case HeadKind::yolov8_seg:
      return make_segment_head(plan);
    case HeadKind::yolov5:
    case HeadKind::yolox:
      return make_row_head(plan);
    case HeadKind::end_to_end:
      return make_end_to_end_head(plan);
    case HeadKind::rtdetr:
    case HeadKind::detr:
      return make_query_head(plan);
    case HeadKind::classifier:
      return make_classifier_head(plan);
    case HeadKind::anomaly:
      return make_anomaly_head(plan);
  }
  throw Error(ErrorCode::internal, "there is no such head");
}

Preprocessing preprocessing_of(HeadKind kind, const Session& session, const ModelSpec& spec) {
  Preprocessing result;
  if (kind == HeadKind::yolox) {
    result = {Fit::letterbox_top_left, Preprocessing::Channels::bgr, 1.0F};
  } else if (kind == HeadKind::rtdetr || kind == HeadKind::detr || kind == HeadKind::anomaly) {
    result.fit = Fit::stretch;
  } else if (kind == HeadKind::classifier) {
    result.fit = Fit::centre_crop;
    // Ultralytics' classifiers take 0 to 1; nearly all others what ImageNet's pictures average.
    if (metadata_value(session, "task").empty()) {
      result.mean = {0.485F, 0.456F, 0.406F};
      result.deviation = {0.229F, 0.224F, 0.225F};
    }
  }
  if (spec.fit) result.fit = *spec.fit;
  if (spec.channels) result.channels = *spec.channels;
  if (spec.divisor) result.divisor = *spec.divisor;
  if (spec.mean) result.mean = *spec.mean;
  if (spec.deviation) result.deviation = *spec.deviation;
  return result;
}

}  // namespace andon::vision
