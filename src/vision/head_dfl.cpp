// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "vision/anchors.hpp"
#include "vision/heads.hpp"
#include "vision/scores.hpp"
#include "vision/suppression.hpp"

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

}  // namespace

std::unique_ptr<Head> make_dfl_head(const HeadPlan& plan) {
  return std::make_unique<DflHead>(plan);
}

}  // namespace andon::vision
