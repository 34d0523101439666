// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "vision/heads.hpp"

namespace andon::vision {
namespace {

// [classes]: probabilities, or logits, which are told apart by their sum.
class ClassifierHead final : public Head {
 public:
  explicit ClassifierHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item,
              const LetterboxPlan& /*plan*/, const DetectionOptions& options,
              Findings& into) override {
    const float* values = outputs.front().values.data() + item * classes_;
    scores_.clear();
    for (std::size_t c = 0; c < classes_; ++c) {
      scores_.push_back({static_cast<int>(c), values[c]});
    }
    if (!are_probabilities()) make_probabilities();
    std::erase_if(scores_, [](const ClassScore& it) { return !std::isfinite(it.confidence); });
    std::sort(scores_.begin(), scores_.end(), [](const ClassScore& a, const ClassScore& b) {
      return a.confidence > b.confidence ||
             (a.confidence == b.confidence && a.class_id < b.class_id);
    });
    const auto count = static_cast<std::ptrdiff_t>(std::min(options.max_classes, scores_.size()));
    into.classes.assign(scores_.begin(), scores_.begin() + count);
  }

 private:
  [[nodiscard]] bool are_probabilities() const {
    float sum = 0;
    for (const ClassScore& score : scores_) {
      if (!(score.confidence >= 0 && score.confidence <= 1)) return false;
      sum += score.confidence;
    }
    constexpr float kRounding = 1e-3F;
    return std::abs(sum - 1) < kRounding;
  }

  void make_probabilities() {
    float highest = -INFINITY;
    for (const ClassScore& score : scores_) highest = std::max(highest, score.confidence);
    float sum = 0;
    for (ClassScore& score : scores_) {
      score.confidence = std::exp(score.confidence - highest);
      sum += score.confidence;
    }
    for (ClassScore& score : scores_) score.confidence /= sum;
  }

  std::size_t classes_;
  std::vector<ClassScore> scores_;
};

}  // namespace

std::unique_ptr<Head> make_classifier_head(const HeadPlan& plan) {
  return std::make_unique<ClassifierHead>(plan);
}

}  // namespace andon::vision
