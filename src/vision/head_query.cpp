// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vision/heads.hpp"
#include "vision/suppression.hpp"

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

// RT-DETR as Ultralytics exports it: [queries][centre x, centre y, width, height, a score a class],
// boxes in parts of the input.
class RtDetrHead final : public Head {
 public:
  explicit RtDetrHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto queries = static_cast<std::size_t>(output.shape[1]);
    const float* values = output.values.data() + item * queries * (4 + classes_);
    const auto width = static_cast<float>(plan.target.width);
    const auto height = static_cast<float>(plan.target.height);
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t i = 0; i < queries; ++i, values += 4 + classes_) {
      const float* best = std::max_element(values + 4, values + 4 + classes_);
      const Corners corners{
          (values[0] - values[2] / 2) * width, (values[1] - values[3] / 2) * height,
          (values[0] + values[2] / 2) * width, (values[1] + values[3] / 2) * height};
      if (!(*best > options.confidence) || !corners.is_box()) continue;
      candidates.push_back({corners, *best, static_cast<std::int32_t>(best - values - 4),
                            static_cast<std::uint32_t>(i)});
    }
    into.detections.clear();
    for (const Candidate& kept : suppressor_.best(options)) {
      into.detections.push_back(map_back(kept, plan));
    }
  }

 private:
  std::size_t classes_;
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
    into.detections.clear();
    for (const Candidate& kept : suppressor_.best(options)) {
      into.detections.push_back(map_back(kept, in_place(plan)));
    }
  }

 private:
  std::size_t classes_;
  Suppressor suppressor_;
};

}  // namespace

std::unique_ptr<Head> make_query_head(const HeadPlan& plan) {
  if (plan.kind == HeadKind::detr) return std::make_unique<DetrHead>(plan);
  return std::make_unique<RtDetrHead>(plan);
}

}  // namespace andon::vision
