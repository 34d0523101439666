// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "vision/findings/anchors.hpp"
#include "vision/findings/scores.hpp"
#include "vision/findings/suppression.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

constexpr std::size_t kBins = 16;  // of each side's distribution, in strides
constexpr std::array<int, 3> kStrides{8, 16, 32};

// One resolution of the network: planes of width * height values, `pitch` apart.
struct Level {
  const float* boxes;   // 4 * kBins planes
  const float* scores;  // one plane a class, before the sigmoid
  std::size_t pitch;
  int width;
  int height;
  int stride;
  std::size_t first_anchor;
};

// The mean of a distribution over 0 to 15, given as logits.
float expected_distance(const float* logits, std::size_t pitch) {
  std::array<float, kBins> weights{};
  float highest = logits[0];
  for (std::size_t i = 1; i < kBins; ++i) highest = std::max(highest, logits[i * pitch]);
  float total = 0;
  float sum = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    weights[i] = std::exp(logits[i * pitch] - highest);
    total += weights[i];
  }
  for (std::size_t i = 0; i < kBins; ++i) sum += weights[i] / total * static_cast<float>(i);
  return sum;
}

// YOLOv8, v9, v11 without their last layers. Only anchors above the score have their boxes worked
// out, which is most of what those layers cost.
class DflHead final : public Head {
 public:
  explicit DflHead(const HeadPlan& plan)
      : classes_(plan.classes), is_one_tensor_(plan.outputs.size() == 1) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    std::vector<Candidate>& candidates = suppressor_.start();
    std::size_t first_anchor = 0;
    for (std::size_t i = 0; i < kStrides.size(); ++i) {
      const Level level = is_one_tensor_
                              ? part_of_tensor(outputs.front(), item, i, plan.target, first_anchor)
                              : own_tensors(outputs, item, i, first_anchor);
      find(level, options.confidence, candidates);
      first_anchor += cells(level);
    }
    map_back(suppressor_.suppress(options), plan, into.detections);
  }

 private:
  static std::size_t cells(const Level& level) {
    return static_cast<std::size_t>(level.width) * static_cast<std::size_t>(level.height);
  }

  // boxes_8, scores_8, boxes_16, ...
  [[nodiscard]] Level own_tensors(std::span<const Session::Output> outputs, std::size_t item,
                                  std::size_t i, std::size_t first_anchor) const {
    const Session::Output& boxes = outputs[2 * i];
    const Session::Output& scores = outputs[2 * i + 1];
    Level level{};
    level.width = static_cast<int>(boxes.shape[3]);
    level.height = static_cast<int>(boxes.shape[2]);
    level.stride = kStrides[i];
    level.pitch = cells(level);
    level.boxes = boxes.values.data() + item * 4 * kBins * level.pitch;
    level.scores = scores.values.data() + item * classes_ * level.pitch;
    level.first_anchor = first_anchor;
    return level;
  }

  // [4*kBins+classes][anchors], the levels one after another.
  [[nodiscard]] Level part_of_tensor(const Session::Output& output, std::size_t item, std::size_t i,
                                     Size input, std::size_t first_anchor) const {
    Level level{};
    level.stride = kStrides[i];
    level.width = input.width / level.stride;
    level.height = input.height / level.stride;
    level.pitch = static_cast<std::size_t>(output.shape[2]);
    level.boxes = output.values.data() + item * (4 * kBins + classes_) * level.pitch + first_anchor;
    level.scores = level.boxes + 4 * kBins * level.pitch;
    level.first_anchor = first_anchor;
    return level;
  }

  void find(const Level& level, float confidence, std::vector<Candidate>& candidates) const {
    find_anchors(level.scores, classes_, level.pitch, cells(level), logit_limit(confidence),
                 [&](std::size_t cell, std::size_t class_id, float logit) {
                   const float score = sigmoid(logit);
                   if (!(score > confidence)) return;
                   const Corners corners = box_at(level, cell);
                   if (!corners.is_box()) return;
                   candidates.push_back({corners, score, static_cast<std::int32_t>(class_id),
                                         static_cast<std::uint32_t>(level.first_anchor + cell)});
                 });
  }

  static Corners box_at(const Level& level, std::size_t cell) {
    const auto width = static_cast<std::size_t>(level.width);
    const float x = static_cast<float>(cell % width) + 0.5F;
    const float y = static_cast<float>(cell / width) + 0.5F;
    std::array<float, 4> sides{};  // left, top, right, bottom
    for (std::size_t side = 0; side < sides.size(); ++side) {
      sides[side] = expected_distance(level.boxes + side * kBins * level.pitch + cell, level.pitch);
    }
    const auto stride = static_cast<float>(level.stride);
    return {(x - sides[0]) * stride, (y - sides[1]) * stride, (x + sides[2]) * stride,
            (y + sides[3]) * stride};
  }

  std::size_t classes_;
  bool is_one_tensor_;
  Suppressor suppressor_;
};

constexpr std::int64_t kBoxBins{4 * kBins};

// The cut network and one with sixty classes more look the same but for their names and scores.
Reading read(const Evidence& evidence) {
  if (evidence.named("boxes_8") != nullptr && evidence.named("scores_8") != nullptr) {
    return {Claim::certain, "its outputs are named boxes_8, scores_8, ..."};
  }
  const Evidence::Output* planes = evidence.of_rank(3);
  if (planes == nullptr || planes->shape[1] <= kBoxBins || planes->shape[2] != evidence.cells()) {
    return {};
  }
  Reading reading = evidence.read_planes({.before = kBoxBins, .scores = Evidence::Scores::logits});
  const auto first = static_cast<std::size_t>(kBoxBins * planes->shape[2]);
  const auto scores = planes->values.subspan(first);
  const bool are_logits =
      std::any_of(scores.begin(), scores.end(), [](float value) { return value < 0 || value > 1; });
  if (evidence.names() == 0 && !are_logits)
    reading.claim = std::min(reading.claim, Claim::possible);
  return reading;
}

void fit_levels(const Evidence& evidence, HeadPlan& plan) {
  const std::string_view bins = evidence.metadata("andon_reg_max");
  if (!bins.empty() && bins != "16") evidence.refuse("its andon_reg_max is not 16");
  for (const int stride : kStrides) {
    const std::string boxes_name = fmt::format("boxes_{}", stride);
    const std::string scores_name = fmt::format("scores_{}", stride);
    const Evidence::Output& boxes = evidence.need(evidence.named(boxes_name), boxes_name);
    const Evidence::Output& scores = evidence.need(evidence.named(scores_name), scores_name);
    const bool fits = boxes.shape.size() == 4 && scores.shape.size() == 4 &&
                      boxes.shape[1] == kBoxBins && boxes.shape[2] == scores.shape[2] &&
                      boxes.shape[3] == scores.shape[3] &&
                      boxes.shape[2] == evidence.input().height / stride &&
                      boxes.shape[3] == evidence.input().width / stride &&
                      boxes.type == ElementType::float32 && scores.type == ElementType::float32;
    if (!fits)
      evidence.refuse(fmt::format("{} and {} do not go together", boxes_name, scores_name));
    const std::size_t classes = evidence.class_count(scores.shape[1], "it has too many classes");
    if (plan.classes != 0 && plan.classes != classes)
      evidence.refuse("its levels differ in classes");
    plan.classes = classes;
    plan.outputs.insert(plan.outputs.end(), {boxes.index, scores.index});
    plan.anchors += static_cast<std::size_t>(boxes.shape[2] * boxes.shape[3]);
  }
}

void fit(const Evidence& evidence, HeadPlan& plan) {
  if (evidence.named("boxes_8") != nullptr) {
    fit_levels(evidence, plan);
  } else {
    evidence.fit_planes(plan, kBoxBins, 0);
    evidence.check_grid(plan.anchors);
  }
}

bool check_levels(const HeadPlan& plan, Outputs outputs, Size input) {
  for (std::size_t i = 0; i < kStrides.size(); ++i) {
    for (const auto& [output, channels] :
         {std::pair{&outputs[2 * i], 4 * kBins}, {&outputs[2 * i + 1], plan.classes}}) {
      if (!has_rank(*output, 4) || !is(output->shape[1], channels) ||
          output->shape[2] != input.height / kStrides.at(i) ||
          output->shape[3] != input.width / kStrides.at(i)) {
        return false;
      }
    }
  }
  return true;
}

bool check(const HeadPlan& plan, Outputs outputs, Size input) {
  if (outputs.size() > 1) return check_levels(plan, outputs, input);
  const Session::Output& planes = outputs.front();
  return has_rank(planes, 3) && is(planes.shape[1], 4 * kBins + plan.classes) &&
         is(planes.shape[2], grid_cells(input));
}

}  // namespace

constinit const Family kYolov8Dfl{
    .kind = HeadKind::yolov8_dfl,
    .name = "yolov8_dfl",
    .task = "detect",
    .help =
        "the same as yolov8 cut before its boxes: boxes_8 [batch,64,h,w], scores_8 "
        "[batch,classes,h,w], ... _16, _32, or [batch,64+classes,anchors]",
    .read = read,
    .fit = fit,
    .check = check,
    .make = make_of<DflHead>};

}  // namespace andon::vision
