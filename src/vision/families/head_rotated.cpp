// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "vision/findings/anchors.hpp"
#include "vision/findings/rotated.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

constexpr std::int64_t kRotatedRow = 7;  // centre x, centre y, width, height, score, class, angle

// YOLOv8-obb and its successors: [4+classes+angle][anchors], planar.
class RotatedHead final : public Head {
 public:
  explicit RotatedHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const auto anchors = static_cast<std::size_t>(outputs.front().shape[2]);
    const float* values = outputs.front().values.data() + item * (5 + classes_) * anchors;
    const float* angles = values + (4 + classes_) * anchors;
    std::vector<RotatedCandidate>& candidates = suppressor_.start();
    find_anchors(values + 4 * anchors, classes_, anchors, anchors, options.confidence,
                 [&](std::size_t anchor, std::size_t class_id, float score) {
                   const RotatedBox box{values[anchor], values[anchors + anchor],
                                        values[2 * anchors + anchor], values[3 * anchors + anchor],
                                        angles[anchor]};
                   const RotatedCandidate candidate{box, score, static_cast<std::int32_t>(class_id),
                                                    static_cast<std::uint32_t>(anchor)};
                   if (candidate.is_box()) candidates.push_back(candidate);
                 });
    map_back(suppressor_.suppress(options), plan, into);
  }

 private:
  std::size_t classes_;
  RotatedSuppressor suppressor_;
};

// YOLO26-obb, and exports with built-in suppression: a row a box.
class RotatedRowHead final : public Head {
 public:
  explicit RotatedRowHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const auto count = static_cast<std::size_t>(outputs.front().shape[1]);
    const float* row = outputs.front().values.data() + item * count * kRotatedRow;
    std::vector<RotatedCandidate>& candidates = suppressor_.start();
    for (std::size_t i = 0; i < count; ++i, row += kRotatedRow) {
      const float score = row[4];
      const float class_id = row[5];
      if (!(score > options.confidence)) continue;
      if (!(class_id >= 0 && class_id < static_cast<float>(classes_))) continue;
      const RotatedCandidate candidate{{row[0], row[1], row[2], row[3], row[6]},
                                       score,
                                       static_cast<std::int32_t>(class_id),
                                       static_cast<std::uint32_t>(i)};
      if (candidate.is_box()) candidates.push_back(candidate);
    }
    map_back(suppressor_.best(options), plan, into);
  }

 private:
  std::size_t classes_;
  RotatedSuppressor suppressor_;
};

Reading read_planes(const Evidence& evidence) {
  return evidence.read_planes({.after = 1, .task = "obb"});
}
void fit_planes(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_planes(plan, 4, 1);
}
bool check_planes(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) && is(outputs.front().shape[1], 5 + plan.classes);
}

Reading read_rows(const Evidence& evidence) {
  return evidence.read_rows(kRotatedRow, "obb");
}
void fit_rows(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_picked(plan, kRotatedRow);
}
bool check_rows(const HeadPlan& /*plan*/, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) && outputs.front().shape[2] == kRotatedRow;
}

}  // namespace

constinit const Family kYolov8Obb{
    .kind = HeadKind::yolov8_obb,
    .name = "yolov8_obb",
    .task = "obb",
    .help = "float32 [batch,4+classes+1,anchors], the angle last: YOLOv8-obb, 11-obb, 26-obb",
    .read = read_planes,
    .fit = fit_planes,
    .check = check_planes,
    .make = make_of<RotatedHead>};

constinit const Family kEndToEndObb{
    .kind = HeadKind::end_to_end_obb,
    .name = "end_to_end_obb",
    .task = "obb",
    .help = "float32 [batch,boxes,7]: centre, size, score, class, angle",
    .read = read_rows,
    .fit = fit_rows,
    .check = check_rows,
    .make = make_of<RotatedRowHead>};

}  // namespace andon::vision
