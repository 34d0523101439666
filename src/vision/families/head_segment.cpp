// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/masks.hpp"
#include "vision/findings/rows.hpp"
#include "vision/heads/extended_boxes.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

// YOLOv8-seg and its successors: boxes with 32 weights each, and 32 prototype masks. Boxes as those
// of the yolov8 head (a column each) or of the end_to_end head (a row each).
class SegmentHead final : public Head {
 public:
  explicit SegmentHead(const HeadPlan& plan)
      : boxes_(plan.kind == HeadKind::end_to_end_seg ? ExtendedBoxes::Layout::rows
                                                     : ExtendedBoxes::Layout::columns,
               plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    masks_.start(outputs[1], item, plan);
    into.detections.clear();
    std::size_t count = 0;
    const auto& kept = boxes_.find(outputs[0], item, options);
    into.masks.resize(kept.size());
    for (const Candidate& candidate : kept) {
      const Detection detection = map_back(candidate, plan);
      const auto [weights, pitch] = boxes_.extension_of(candidate);
      if (!masks_.make({weights, pitch}, detection.box, into.masks[count])) continue;
      into.detections.push_back(detection);
      ++count;
    }
    into.masks.resize(count);
  }

 private:
  ExtendedBoxes boxes_;
  MaskMaker masks_;
};

Reading read_rows(const Evidence& evidence) {
  if (!evidence.has_prototypes()) return {};
  return evidence.read_rows(kRow + kMasks, "segment");
}
Reading read_planes(const Evidence& evidence) {
  if (!evidence.has_prototypes()) return {};
  return evidence.read_planes({.after = kMasks, .task = "segment"});
}

void fit_rows(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_picked(plan, kRow + kMasks);
  evidence.add_prototypes(plan);
}
void fit_planes(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_planes(plan, 4, kMasks);
  evidence.add_prototypes(plan);
}

bool check_rows(const HeadPlan& /*plan*/, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) && is(outputs.front().shape[2], kRowValues + kMaskWeights) &&
         are_prototypes(outputs[1]);
}
bool check_planes(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) &&
         is(outputs.front().shape[1], 4 + plan.classes + kMaskWeights) &&
         are_prototypes(outputs[1]);
}

}  // namespace

constinit const Family kYolov8Seg{.kind = HeadKind::yolov8_seg,
                                  .name = "yolov8_seg",
                                  .task = "segment",
                                  .help = "float32 [batch,4+classes+32,anchors] and [batch,32,h,w]",
                                  .read = read_planes,
                                  .fit = fit_planes,
                                  .check = check_planes,
                                  .make = make_of<SegmentHead>};

constinit const Family kEndToEndSeg{.kind = HeadKind::end_to_end_seg,
                                    .name = "end_to_end_seg",
                                    .task = "segment",
                                    .help = "float32 [batch,boxes,6+32] and [batch,32,h,w]",
                                    .read = read_rows,
                                    .fit = fit_rows,
                                    .check = check_rows,
                                    .make = make_of<SegmentHead>};

}  // namespace andon::vision
