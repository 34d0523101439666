// SPDX-License-Identifier: Apache-2.0
#include "vision/heads.hpp"
#include "vision/suppression.hpp"

namespace andon::vision {
namespace {

// [boxes][left, top, right, bottom, score, class], in input pixels: overlaps are seen to already.
class EndToEndHead final : public Head {
 public:
  explicit EndToEndHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto boxes = static_cast<std::size_t>(output.shape[1]);
    constexpr std::size_t kWidth = 6;
    const float* values = output.values.data() + item * boxes * kWidth;
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t i = 0; i < boxes; ++i, values += kWidth) {
      const Corners corners{values[0], values[1], values[2], values[3]};
      if (!(values[4] > options.confidence) || !corners.is_box()) continue;
      // A class that is not a number, or out of range, is no class.
      if (!(values[5] >= 0 && values[5] < static_cast<float>(classes_))) continue;
      candidates.push_back({corners, values[4], static_cast<std::int32_t>(values[5]),
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

}  // namespace

std::unique_ptr<Head> make_end_to_end_head(const HeadPlan& plan) {
  return std::make_unique<EndToEndHead>(plan);
}

}  // namespace andon::vision
