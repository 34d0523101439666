// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "vision/heads/family.hpp"

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

Reading read(const Evidence& evidence) {
  const Evidence::Output* rows = evidence.of_rank(2);
  if (rows == nullptr || rows->shape[1] < 2) return {};
  const bool says_more = rows->has_free_rows && !evidence.has_free_batch();
  if (rows->shape[0] != evidence.batch() || says_more) {
    return {Claim::none, fmt::format("its output has {} rows for {} picture(s), where a classifier "
                                     "has one for each",
                                     says_more ? "any number of" : std::to_string(rows->shape[0]),
                                     evidence.batch())};
  }
  if (evidence.names() > 0 && evidence.names() != rows->shape[1]) {
    return {Claim::none, fmt::format("its output has {} classes, but {} are named", rows->shape[1],
                                     evidence.names())};
  }
  if (evidence.says_task("classify")) return {Claim::certain, "its metadata say task = classify"};
  return {Claim::likely,
          fmt::format("its output has one row of {} values for each picture", rows->shape[1])};
}

void fit(const Evidence& evidence, HeadPlan& plan) {
  const Evidence::Output& row = evidence.need(evidence.of_rank(2), "float32 [batch,classes]");
  plan.outputs = {row.index};
  plan.classes = evidence.class_count(row.shape[1], "it has too many classes");
}

bool check(const HeadPlan& plan, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 2) && is(outputs.front().shape[1], plan.classes);
}

void prepare(Preprocessing& preprocessing, const Session& session, Size input) {
  const bool is_ultralytics = !metadata_value(session, "task").empty();
  // Ultralytics crops only to squares.
  const bool is_cut = !is_ultralytics || input.width == input.height;
  preprocessing.fit = is_cut ? Fit::centre_crop : Fit::stretch;
  preprocessing.resample = Preprocessing::Resample::bilinear;
  // Ultralytics' classifiers take 0 to 1; nearly all others what ImageNet's pictures average.
  if (is_ultralytics) return;
  preprocessing.mean = {0.485F, 0.456F, 0.406F};
  preprocessing.deviation = {0.229F, 0.224F, 0.225F};
}

}  // namespace

constinit const Family kClassifier{.kind = HeadKind::classifier,
                                   .name = "classifier",
                                   .task = "classify",
                                   .help = "float32 [batch,classes]",
                                   .read = read,
                                   .fit = fit,
                                   .check = check,
                                   .make = make_of<ClassifierHead>,
                                   .prepare = prepare};

}  // namespace andon::vision
