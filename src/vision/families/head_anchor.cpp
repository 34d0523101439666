// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/detections.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

// YOLOv8, v9, v11: [4+classes][anchors], planar.
class AnchorHead final : public Head {
 public:
  explicit AnchorHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto anchors = static_cast<std::size_t>(output.shape[2]);
    const std::size_t size = (4 + classes_) * anchors;
    find_candidates({output.values.subspan(item * size, size), classes_, anchors},
                    options.confidence, suppressor_.start());
    map_back(suppressor_.suppress(options), plan, into.detections);
  }

 private:
  std::size_t classes_;
  Suppressor suppressor_;
};

Reading read(const Evidence& evidence) {
  return evidence.read_planes({});
}

void fit(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_planes(plan, 4, 0);
}

bool check(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) && is(outputs.front().shape[1], 4 + plan.classes);
}

}  // namespace

constinit const Family kYolov8{
    .kind = HeadKind::yolov8,
    .name = "yolov8",
    .task = "detect",
    .help = "float32 [batch,4+classes,anchors]: YOLOv8, v9, 11, 12 and others without built-in NMS",
    .read = read,
    .fit = fit,
    .check = check,
    .make = make_of<AnchorHead>};

}  // namespace andon::vision
