// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "vision/findings/rows.hpp"
#include "vision/findings/scores.hpp"
#include "vision/findings/suppression.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

// A plan under which boxes are in pixels of the picture already.
LetterboxPlan in_place(const LetterboxPlan& plan) {
  LetterboxPlan same;
  same.source = plan.source;
  same.target = plan.source;
  same.scaled = plan.source;
  return same;
}

// RT-DETR as Ultralytics exports it, boxes in parts of the input: [queries][centre x, centre y,
// width, height, a score a class], or in newer exports the best pairs of query and class: [queries]
// [centre x, centre y, width, height, score, class].
class RtDetrHead final : public Head {
 public:
  explicit RtDetrHead(const HeadPlan& plan)
      : classes_(plan.classes), has_picked_(plan.has_picked) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto size = static_cast<std::size_t>(output.shape[1] * output.shape[2]);
    const auto values = output.values.subspan(item * size, size);
    std::vector<Candidate>& candidates = suppressor_.start();
    if (has_picked_) {
      find_centred_rows({values, classes_, kRowValues}, plan.target, options.confidence,
                        candidates);
    } else {
      find(values, plan.target, options.confidence, candidates);
    }
    map_back(suppressor_.best(options), plan, into.detections);
  }

 private:
  void find(std::span<const float> values, Size input, float confidence,
            std::vector<Candidate>& candidates) const {
    const std::size_t width = 4 + classes_;
    const float* row = values.data();
    for (std::size_t i = 0; i < values.size() / width; ++i, row += width) {
      const float* best = std::max_element(row + 4, row + width);
      if (!(*best > confidence)) continue;
      const Corners corners = corners_in_parts(row, input);
      if (!corners.is_box()) continue;
      candidates.push_back({corners, *best, static_cast<std::int32_t>(best - row - 4),
                            static_cast<std::uint32_t>(i)});
    }
  }

  std::size_t classes_;
  bool has_picked_;
  Suppressor suppressor_;
};

// RT-DETR and D-FINE as their authors export them: labels, boxes (left, top, right, bottom) and
// scores; the model has mapped the boxes to the picture whose size it was told.
class DetrHead final : public Head {
 public:
  explicit DetrHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& labels = outputs[0];
    const auto queries = static_cast<std::size_t>(labels.shape[1]);
    const std::size_t first = item * queries;
    const float* box = outputs[1].values.data() + first * 4;
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t i = 0; i < queries; ++i, box += 4) {
      const float score = outputs[2].values[first + i];
      const Corners corners{box[0], box[1], box[2], box[3]};
      const std::int64_t label = labels.integers[first + i];
      if (!(score > options.confidence) || !corners.is_box()) continue;
      if (label < 0 || label >= static_cast<std::int64_t>(classes_)) continue;
      candidates.push_back(
          {corners, score, static_cast<std::int32_t>(label), static_cast<std::uint32_t>(i)});
    }
    map_back(suppressor_.best(options), in_place(plan), into.detections);
  }

 private:
  std::size_t classes_;
  Suppressor suppressor_;
};

// The DETR family as Hugging Face's transformers exports it, and RF-DETR: [queries][a logit a
// class] and boxes in parts of the input. One query may see several classes; the best pairs count,
// as many as there are queries. The first DETR has one more logit, of "nothing", and a softmax.
class DetrLogitsHead final : public Head {
 public:
  explicit DetrLogitsHead(const HeadPlan& plan)
      : classes_(plan.classes), has_nothing_(plan.has_nothing) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const auto queries = static_cast<std::size_t>(outputs[0].shape[1]);
    const auto width = static_cast<std::size_t>(outputs[0].shape[2]);
    const float* logits = outputs[0].values.data() + item * queries * width;
    const float* boxes = outputs[1].values.data() + item * queries * 4;
    std::vector<Candidate>& candidates = suppressor_.start();
    const float limit = logit_limit(options.confidence);
    for (std::size_t i = 0; i < queries; ++i, logits += width, boxes += 4) {
      const Query query{corners_in_parts(boxes, plan.target), logits, i};
      if (!query.corners.is_box()) continue;
      if (has_nothing_) {
        add_best(query, options.confidence, candidates);
      } else {
        add_all(query, options.confidence, limit, candidates);
      }
    }
    DetectionOptions bounded = options;
    bounded.max_detections = std::min(options.max_detections, queries);
    map_back(suppressor_.best(bounded), plan, into.detections);
  }

 private:
  struct Query {
    Corners corners;
    const float* logits;
    std::size_t number;
  };

  void add(const Query& query, std::size_t class_id, float score,
           std::vector<Candidate>& candidates) const {
    candidates.push_back({query.corners, score, static_cast<std::int32_t>(class_id),
                          static_cast<std::uint32_t>(query.number * classes_ + class_id)});
  }

  void add_all(const Query& query, float confidence, float limit,
               std::vector<Candidate>& candidates) const {
    for (std::size_t c = 0; c < classes_; ++c) {
      if (!(query.logits[c] > limit)) continue;
      const float score = sigmoid(query.logits[c]);
      if (score > confidence) add(query, c, score, candidates);
    }
  }

  void add_best(const Query& query, float confidence, std::vector<Candidate>& candidates) const {
    const float* end = query.logits + classes_ + 1;
    const float highest = *std::max_element(query.logits, end);
    float sum = 0;
    for (const float* logit = query.logits; logit != end; ++logit)
      sum += std::exp(*logit - highest);
    const float* best = std::max_element(query.logits, query.logits + classes_);
    const float score = std::exp(*best - highest) / sum;
    if (score > confidence) {
      add(query, static_cast<std::size_t>(best - query.logits), score, candidates);
    }
  }

  std::size_t classes_;
  bool has_nothing_;
  Suppressor suppressor_;
};

Reading read_rtdetr(const Evidence& evidence) {
  const Evidence::Output* rows = evidence.of_rank(3);
  if (rows == nullptr || rows->shape[1] > kMostBoxes || rows->shape[2] <= 4 ||
      rows->shape[0] != evidence.batch()) {
    return {};
  }
  if (evidence.says_detr()) return {Claim::certain, "its metadata say that it is a DETR"};
  const std::int64_t classes = rows->shape[2] - 4;
  if (evidence.names() > 0 && evidence.names() != classes) return {};
  if (evidence.says_yolo()) return {Claim::none, "its metadata say that it is a YOLO"};
  // Boxes in parts of the input and scores that are never quite 0.
  const bool are_parts = std::all_of(rows->values.begin(), rows->values.end(),
                                     [](float value) { return value > 0 && value < 1; });
  if (!are_parts || rows->values.empty()) return {};
  if (evidence.names() > 0) {
    return {Claim::certain,
            fmt::format("its {} rows have 4 values and a score for each of the {} classes named, "
                        "all between 0 and 1",
                        rows->shape[1], classes)};
  }
  return {Claim::possible, fmt::format("with {} class(es)", classes)};
}

// Exports of two classes look the same with and without picked rows; those that pick say which
// head they have.
void fit_rtdetr(const Evidence& evidence, HeadPlan& plan) {
  const Evidence::Output* rows = evidence.of_rank(3);
  const bool says_class = evidence.says_rt_detr_class();
  plan.has_picked =
      rows != nullptr && rows->shape[2] == kRow && (evidence.names() != 2 || says_class);
  if (plan.has_picked) {
    evidence.fit_picked(plan, kRow);
  } else {
    evidence.fit_rows(plan, 4);
  }
}

bool check_rtdetr(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) &&
         is(outputs.front().shape[2], plan.has_picked ? kRowValues : 4 + plan.classes);
}

Reading read_detr(const Evidence& evidence) {
  const bool has_all = evidence.named("labels") != nullptr && evidence.named("boxes") != nullptr &&
                       evidence.named("scores") != nullptr;
  if (!has_all) return {};
  return {Claim::certain, "its outputs are named labels, boxes and scores"};
}

void fit_detr(const Evidence& evidence, HeadPlan& plan) {
  const Evidence::Output& labels = evidence.need(evidence.named("labels"), "labels");
  const Evidence::Output& boxes = evidence.need(evidence.named("boxes"), "boxes");
  const Evidence::Output& scores = evidence.need(evidence.named("scores"), "scores");
  const bool fits = labels.type == ElementType::int64 && labels.shape.size() == 2 &&
                    boxes.type == ElementType::float32 && boxes.shape.size() == 3 &&
                    boxes.shape[1] == labels.shape[1] && boxes.shape[2] == 4 &&
                    scores.type == ElementType::float32 && scores.shape == labels.shape;
  if (!fits) evidence.refuse("its labels, boxes and scores do not go together");
  plan.outputs = {labels.index, boxes.index, scores.index};
  plan.anchors = static_cast<std::size_t>(labels.shape[1]);
  evidence.leave_classes_open(plan);
}

bool check_detr(const HeadPlan& /*plan*/, Outputs outputs, Size /*input*/) {
  const Session::Output& labels = outputs.front();
  return has_rank(labels, 2) && has_rank(outputs[1], 3) && outputs[1].shape[2] == 4 &&
         outputs[1].shape[1] == labels.shape[1] && outputs[2].shape == labels.shape;
}

// By the names that exporters give them, or the only two of a fitting shape.
struct QueryOutputs {
  const Evidence::Output* logits = nullptr;
  const Evidence::Output* boxes = nullptr;
  bool has_names = false;  // that exporters give them
};
QueryOutputs queries_with_logits(const Evidence& evidence) {
  constexpr std::array<std::array<std::string_view, 2>, 3> kNames{
      {{"logits", "pred_boxes"}, {"pred_logits", "pred_boxes"}, {"labels", "dets"}}};
  const auto fit_together = [](const Evidence::Output* logits, const Evidence::Output* boxes) {
    return logits != nullptr && boxes != nullptr && logits->type == ElementType::float32 &&
           boxes->type == ElementType::float32 && logits->shape.size() == 3 &&
           boxes->shape.size() == 3 && boxes->shape[2] == 4 && logits->shape[2] > 0 &&
           logits->shape[1] == boxes->shape[1];
  };
  for (const auto& names : kNames) {
    const Evidence::Output* logits = evidence.named(names[0]);
    const Evidence::Output* boxes = evidence.named(names[1]);
    if (fit_together(logits, boxes)) return {logits, boxes, true};
  }
  if (evidence.outputs().size() != 2) return {};
  const Evidence::Output* first = &evidence.outputs().front();
  const Evidence::Output* second = &evidence.outputs().back();
  if (fit_together(first, second) == fit_together(second, first)) return {};
  return fit_together(first, second) ? QueryOutputs{first, second} : QueryOutputs{second, first};
}

Reading read_detr_logits(const Evidence& evidence) {
  const QueryOutputs outputs = queries_with_logits(evidence);
  if (outputs.boxes == nullptr) return {};
  const std::int64_t queries = outputs.boxes->shape[1];
  const std::span<const float> values = outputs.boxes->values;
  const bool are_parts = std::all_of(values.begin(), values.end(),
                                     [](float value) { return value >= 0 && value <= 1; });
  if (!outputs.has_names && queries > kMostBoxes) {
    return {Claim::none, fmt::format("{} rows are more than a DETR has queries", queries)};
  }
  if (!outputs.has_names && !are_parts) {
    return {Claim::none,
            fmt::format("the boxes of {} are not in parts of the input", outputs.boxes->name)};
  }
  return {outputs.has_names ? Claim::certain : Claim::likely,
          fmt::format("its outputs {} and {} have a row a query, of a logit for each class and of "
                      "a box in parts of the input",
                      outputs.logits->name, outputs.boxes->name)};
}

void fit_detr_logits(const Evidence& evidence, HeadPlan& plan) {
  const QueryOutputs outputs = queries_with_logits(evidence);
  if (outputs.boxes == nullptr) {
    evidence.refuse(
        "it has no outputs [batch,queries,classes] and [batch,queries,4] that go together");
  }
  plan.outputs = {evidence.need(outputs.logits, "logits").index,
                  evidence.need(outputs.boxes, "boxes").index};
  plan.anchors = static_cast<std::size_t>(outputs.boxes->shape[1]);
  plan.has_nothing = evidence.names() > 0 && outputs.logits->shape[2] == evidence.names() + 1;
  plan.classes = evidence.class_count(outputs.logits->shape[2] - (plan.has_nothing ? 1 : 0),
                                      "it has too many classes");
}

bool check_detr_logits(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  const Session::Output& logits = outputs.front();
  return has_rank(logits, 3) && is(logits.shape[2], plan.classes + (plan.has_nothing ? 1 : 0)) &&
         has_rank(outputs[1], 3) && outputs[1].shape[2] == 4 &&
         outputs[1].shape[1] == logits.shape[1];
}

void stretch(Preprocessing& preprocessing, const Session& /*session*/, Size /*input*/) {
  preprocessing.fit = Fit::stretch;
}
void stretch_bilinear(Preprocessing& preprocessing, const Session& /*session*/, Size /*input*/) {
  preprocessing.fit = Fit::stretch;
  preprocessing.resample = Preprocessing::Resample::bilinear;
}

}  // namespace

constinit const Family kRtDetr{.kind = HeadKind::rtdetr,
                               .name = "rtdetr",
                               .task = "detect",
                               .help = "float32 [batch,queries,4+classes] or [batch,queries,6]",
                               .read = read_rtdetr,
                               .fit = fit_rtdetr,
                               .check = check_rtdetr,
                               .make = make_of<RtDetrHead>,
                               .prepare = stretch};

constinit const Family kDetr{
    .kind = HeadKind::detr,
    .name = "detr",
    .task = "detect",
    .help =
        "labels int64 and scores float32 [batch,queries], boxes float32 [batch,queries,4]; a "
        "second input int64 [batch,2]",
    .read = read_detr,
    .fit = fit_detr,
    .check = check_detr,
    .make = make_of<DetrHead>,
    .prepare = stretch_bilinear};

constinit const Family kDetrLogits{
    .kind = HeadKind::detr_logits,
    .name = "detr_logits",
    .task = "detect",
    .help = "float32 logits [batch,queries,classes] and boxes [batch,queries,4]",
    .read = read_detr_logits,
    .fit = fit_detr_logits,
    .check = check_detr_logits,
    .make = make_of<DetrLogitsHead>,
    .prepare = stretch_bilinear};

}  // namespace andon::vision
