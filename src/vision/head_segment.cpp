// SPDX-License-Identifier: Apache-2.0
#include "vision/detections.hpp"
#include "vision/heads.hpp"
#include "vision/masks.hpp"
#include "vision/rows.hpp"

namespace andon::vision {
namespace {

// YOLOv8-seg and its successors: boxes with 32 weights each, and 32 prototype masks. Boxes as those
// of the yolov8 head (a column each) or of the end_to_end head (a row each).
class SegmentHead final : public Head {
 public:
  explicit SegmentHead(const HeadPlan& plan)
      : classes_(plan.classes), has_rows_(plan.kind == HeadKind::end_to_end_seg) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs[0];
    const auto first = static_cast<std::size_t>(output.shape[1]);
    const auto second = static_cast<std::size_t>(output.shape[2]);
    const auto values = output.values.subspan(item * first * second, first * second);
    std::vector<Candidate>& candidates = suppressor_.start();
    if (has_rows_) {
      find_rows({values, classes_, second}, options.confidence, candidates);
    } else {
      find_candidates({values, classes_, second}, options.confidence, candidates);
    }
    masks_.start(outputs[1], item, plan);
    into.detections.clear();
    std::size_t count = 0;
    const auto& kept = has_rows_ ? suppressor_.best(options) : suppressor_.suppress(options);
    into.masks.resize(kept.size());
    for (const Candidate& candidate : kept) {
      const Detection detection = map_back(candidate, plan);
      const MaskWeights weights =
          has_rows_
              ? MaskWeights{values.data() + candidate.anchor * second + kRowValues, 1}
              : MaskWeights{values.data() + (4 + classes_) * second + candidate.anchor, second};
      if (!masks_.make(weights, detection.box, into.masks[count])) continue;
      into.detections.push_back(detection);
      ++count;
    }
    into.masks.resize(count);
  }

 private:
  std::size_t classes_;
  bool has_rows_;
  Suppressor suppressor_;
  MaskMaker masks_;
};

}  // namespace

std::unique_ptr<Head> make_segment_head(const HeadPlan& plan) {
  return std::make_unique<SegmentHead>(plan);
}

}  // namespace andon::vision
