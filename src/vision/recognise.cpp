// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "vision/heads.hpp"
#include "vision/masks.hpp"
#include "vision/metadata.hpp"
#include "vision/rows.hpp"

namespace andon::vision {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMaxClasses = 10'000;
constexpr std::int64_t kBoxBins = 64;  // four sides of 16
constexpr std::int64_t kMasks{kMaskWeights};
constexpr std::int64_t kRow{kRowValues};
constexpr std::string_view kRtDetrClass = "RTDETRDecoder";  // in Ultralytics' metadata
constexpr std::int64_t kMostBoxes = 1'000;  // of a model that suppresses overlaps itself

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
        fit_planes(plan, 4, kMasks);
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
        fit_rtdetr(plan);
        break;
      case HeadKind::end_to_end:
        fit_picked(plan, kRow);
        break;
      case HeadKind::end_to_end_seg:
        fit_picked(plan, kRow + kMasks);
        add_prototypes(plan);
        break;
      case HeadKind::detr:
        fit_detr(plan);
        break;
      case HeadKind::detr_logits:
        fit_detr_logits(plan);
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
    if (task == "segment") return kind_of_segmenter();
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
    if (queries_with_logits().boxes != nullptr) return HeadKind::detr_logits;
    const Found* planes = of_rank(3);
    const Found* maps = of_rank(4);
    if (planes != nullptr && maps != nullptr && maps->shape[1] == kMasks) {
      return kind_of_segmenter();
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
    if (shape[1] == 0 && shape[2] == kRow) return HeadKind::end_to_end;
    if (shape[1] == 3 * cells && shape[2] > 5) return HeadKind::yolov5;
    if (shape[1] == cells && shape[2] > 5) return HeadKind::yolox;
    if (shape[1] <= kMostBoxes && shape[1] > shape[2]) {
      const bool is_detr = says_detr();
      if (shape[2] == kRow && !is_detr) return HeadKind::end_to_end;
      if (shape[2] > 4 && (is_detr || (names_ > 0 && shape[2] == 4 + names_))) {
        return HeadKind::rtdetr;
      }
    }
    // The cut network and one with sixty classes more look the same but for their names.
    if (names_ > 0 && shape[1] == kBoxBins + names_ && shape[2] == cells) {
      return HeadKind::yolov8_dfl;
    }
    return HeadKind::yolov8;
  }

  [[nodiscard]] bool says_detr() const {
    const std::string_view description = metadata_value(session_, "description");
    return description.find("DETR") != std::string_view::npos ||
           description.find("rtdetr") != std::string_view::npos ||
           metadata_value(session_, "head") == kRtDetrClass;
  }

  [[nodiscard]] HeadKind kind_of_segmenter() const {
    const Found* planes = of_rank(3);
    const bool has_rows =
        planes != nullptr && planes->shape[2] == kRow + kMasks && planes->shape[1] <= kMostBoxes;
    return has_rows ? HeadKind::end_to_end_seg : HeadKind::yolov8_seg;
  }

  // By the names that exporters give them, or the only two of a fitting shape.
  struct QueryOutputs {
    const Found* logits = nullptr;
    const Found* boxes = nullptr;
  };
  [[nodiscard]] QueryOutputs queries_with_logits() const {
    constexpr std::array<std::array<std::string_view, 2>, 3> kNames{
        {{"logits", "pred_boxes"}, {"pred_logits", "pred_boxes"}, {"labels", "dets"}}};
    const auto fit_together = [](const Found* logits, const Found* boxes) {
      return logits != nullptr && boxes != nullptr && logits->type == ElementType::float32 &&
             boxes->type == ElementType::float32 && logits->shape.size() == 3 &&
             boxes->shape.size() == 3 && boxes->shape[2] == 4 && logits->shape[2] > 0 &&
             logits->shape[1] == boxes->shape[1];
    };
    for (const auto& names : kNames) {
      const Found* logits = named(names[0]);
      const Found* boxes = named(names[1]);
      if (fit_together(logits, boxes)) return {logits, boxes};
    }
    if (found_.size() != 2) return {};
    const Found* first = &found_.front();
    const Found* second = &found_.back();
    if (fit_together(first, second) == fit_together(second, first)) return {};
    return fit_together(first, second) ? QueryOutputs{first, second} : QueryOutputs{second, first};
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
    if (maps.shape[1] != kMasks) refuse("its prototype masks are not 32");
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

  // Rows that the model picked, with the number of a class each.
  void fit_picked(HeadPlan& plan, std::int64_t width) const {
    const Found* rows = of_rank(3);  // empty where nothing was found
    if (rows == nullptr || rows->shape[2] != width) {
      refuse(fmt::format("it has no output [batch,boxes,{}]", width));
    }
    plan.outputs = {rows->index};
    plan.anchors = static_cast<std::size_t>(rows->shape[1]);
    leave_classes_open(plan);
  }

  void leave_classes_open(HeadPlan& plan) const {
    plan.counts_classes = false;
    plan.classes = static_cast<std::size_t>(names_ > 0 ? names_ : kMaxClasses);
  }

  // Exports of two classes look the same with and without picked rows; those that pick say which
  // head they have.
  void fit_rtdetr(HeadPlan& plan) const {
    const Found* rows = of_rank(3);
    const bool says_class = metadata_value(session_, "head") == kRtDetrClass;
    plan.has_picked = rows != nullptr && rows->shape[2] == kRow && (names_ != 2 || says_class);
    if (plan.has_picked) {
      fit_picked(plan, kRow);
    } else {
      fit_rows(plan, 4);
    }
  }

  void fit_detr_logits(HeadPlan& plan) const {
    const QueryOutputs outputs = queries_with_logits();
    if (outputs.boxes == nullptr) {
      refuse("it has no outputs [batch,queries,classes] and [batch,queries,4] that go together");
    }
    plan.outputs = {need(outputs.logits, "logits").index, need(outputs.boxes, "boxes").index};
    plan.anchors = static_cast<std::size_t>(outputs.boxes->shape[1]);
    plan.has_nothing = names_ > 0 && outputs.logits->shape[2] == names_ + 1;
    plan.classes = class_count(outputs.logits->shape[2] - (plan.has_nothing ? 1 : 0),
                               "it has too many classes");
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
    leave_classes_open(plan);
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
      if (is_map && (map == nullptr || found.name == "anomaly_map")) map = &found;
      if (is_score && (score == nullptr || found.name == "pred_score")) score = &found;
    }
    if (score == nullptr && map == nullptr) refuse("it has neither a score nor a map");
    plan.has_score = score != nullptr;
    plan.has_map = map != nullptr;
    if (score != nullptr) plan.outputs.push_back(need(score, "score").index);
    if (map != nullptr) plan.outputs.push_back(need(map, "map").index);
  }

  void check_names(HeadPlan& plan) const {
    const bool tells_classes = plan.kind != HeadKind::anomaly && plan.counts_classes;
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

HeadPlan recognise(const Session& session, const ModelSpec& spec, Size input,
                   std::span<const Session::Output> outputs) {
  return Evidence(session, spec, input, outputs).plan();
}

}  // namespace andon::vision
