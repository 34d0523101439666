// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "vision/heads.hpp"

namespace andon::vision {
namespace {

// PatchCore, EfficientAD and their like: a score, a map, or both. Without a score the map's highest
// value is it.
class AnomalyHead final : public Head {
 public:
  explicit AnomalyHead(const HeadPlan& plan) : has_score_(plan.has_score), has_map_(plan.has_map) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item,
              const LetterboxPlan& /*plan*/, const DetectionOptions& /*options*/,
              Findings& into) override {
    if (!into.anomaly) into.anomaly.emplace();
    Anomaly& anomaly = *into.anomaly;
    if (has_map_) {
      const Session::Output& output = outputs.back();
      const std::size_t rank = output.shape.size();
      anomaly.map_size = {static_cast<int>(output.shape[rank - 1]),
                          static_cast<int>(output.shape[rank - 2])};
      const std::size_t size = static_cast<std::size_t>(anomaly.map_size.width) *
                               static_cast<std::size_t>(anomaly.map_size.height);
      const auto values = output.values.subspan(item * size, size);
      anomaly.map.assign(values.begin(), values.end());
      anomaly.score = *std::max_element(anomaly.map.begin(), anomaly.map.end());
    }
    if (has_score_) anomaly.score = outputs.front().values[item];
  }

 private:
  bool has_score_;
  bool has_map_;
};

}  // namespace

std::unique_ptr<Head> make_anomaly_head(const HeadPlan& plan) {
  return std::make_unique<AnomalyHead>(plan);
}

}  // namespace andon::vision
