// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vision/findings/rows.hpp"
#include "vision/heads/extended_boxes.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

// YOLOv8-pose and its successors: boxes, each with the same keypoints. Boxes as those of the
// yolov8 head (a column each) or of the end_to_end head (a row each).
class PoseHead final : public Head {
 public:
  explicit PoseHead(const HeadPlan& plan)
      : boxes_(plan.kind == HeadKind::end_to_end_pose ? ExtendedBoxes::Layout::rows
                                                      : ExtendedBoxes::Layout::columns,
               plan.classes),
        keypoints_(plan.keypoints) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const auto& kept = boxes_.find(outputs[0], item, options);
    into.detections.clear();
    into.keypoints.clear();
    for (const Candidate& candidate : kept) {
      const Detection detection = map_back(candidate, plan);
      if (!has_area(detection.box)) continue;
      into.detections.push_back(detection);
      const auto [values, pitch] = boxes_.extension_of(candidate);
      add_keypoints(values, pitch, plan, into.keypoints);
    }
  }

 private:
  // Values `pitch` apart, in pixels of the input.
  void add_keypoints(const float* values, std::size_t pitch, const LetterboxPlan& plan,
                     std::vector<Keypoint>& into) const {
    for (std::size_t i = 0; i < keypoints_.count; ++i, values += keypoints_.values * pitch) {
      Keypoint& keypoint = into.emplace_back();
      keypoint.x = in_picture(values[0], plan.left, plan.ratio_x, plan.source.width);
      keypoint.y = in_picture(values[pitch], plan.top, plan.ratio_y, plan.source.height);
      if (keypoints_.values > 2) keypoint.confidence = share(values[2 * pitch]);
    }
  }

  // What is not a number lies at the edge.
  static float in_picture(float place, int offset, double ratio, int limit) {
    const double at = (double{place} - offset) / ratio;
    return at > 0 ? static_cast<float>(std::min(at, double{static_cast<double>(limit)})) : 0.0F;
  }
  static float share(float value) { return value > 0 ? std::min(value, 1.0F) : 0.0F; }

  ExtendedBoxes boxes_;
  KeypointShape keypoints_;
};

std::int64_t values_of(const KeypointShape& keypoints) {
  return static_cast<std::int64_t>(keypoints.size());
}

constexpr std::string_view kNoShape =
    "its metadata have no kpt_shape; say `keypoints: [how many, values each]` beside it";

Reading read_planes(const Evidence& evidence) {
  if (evidence.keypoints()) {
    return evidence.read_planes({.after = values_of(*evidence.keypoints()), .task = "pose"});
  }
  return {Claim::none, evidence.says_task("pose") ? std::string(kNoShape) : std::string()};
}
Reading read_rows(const Evidence& evidence) {
  if (!evidence.keypoints()) return {};
  return evidence.read_rows(kRow + values_of(*evidence.keypoints()), "pose");
}

void fit_planes(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_keypoints(plan);
  evidence.fit_planes(plan, 4, values_of(plan.keypoints));
}
void fit_rows(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_keypoints(plan);
  evidence.fit_picked(plan, kRow + values_of(plan.keypoints));
}

bool check_planes(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) &&
         is(outputs.front().shape[1], 4 + plan.classes + plan.keypoints.size());
}
bool check_rows(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) &&
         is(outputs.front().shape[2], kRowValues + plan.keypoints.size());
}

}  // namespace

constinit const Family kYolov8Pose{
    .kind = HeadKind::yolov8_pose,
    .name = "yolov8_pose",
    .task = "pose",
    .help = "float32 [batch,4+classes+keypoints,anchors]: YOLOv8-pose, 11-pose, 26-pose",
    .read = read_planes,
    .fit = fit_planes,
    .check = check_planes,
    .make = make_of<PoseHead>};

constinit const Family kEndToEndPose{.kind = HeadKind::end_to_end_pose,
                                     .name = "end_to_end_pose",
                                     .task = "pose",
                                     .help = "float32 [batch,boxes,6+keypoints]",
                                     .read = read_rows,
                                     .fit = fit_rows,
                                     .check = check_rows,
                                     .make = make_of<PoseHead>};

}  // namespace andon::vision
