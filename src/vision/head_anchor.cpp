// SPDX-License-Identifier: Apache-2.0
#include "vision/detections.hpp"
#include "vision/heads.hpp"

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

}  // namespace

std::unique_ptr<Head> make_anchor_head(const HeadPlan& plan) {
  return std::make_unique<AnchorHead>(plan);
}

}  // namespace andon::vision
