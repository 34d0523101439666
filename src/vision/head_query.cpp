// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "vision/heads.hpp"
#include "vision/rows.hpp"
#include "vision/scores.hpp"
#include "vision/suppression.hpp"

namespace andon::vision {
namespace {

// A plan under which boxes are in pixels of the picture already.
LetterboxPlan in_place(const LetterboxPlan& plan) {
  LetterboxPlan same;
  same.source = plan.source;
  same.target = plan.source;
  same.scaled = plan.source;
  return same;
}

// RT-DETR as Ultralytics exports it, boxes in parts of the input: [queries][centre x, centre y,
// width, height, a score a class], or in newer exports the best pairs of query and class: [queries]
// [centre x, centre y, width, height, score, class].
class RtDetrHead final : public Head {
 public:
  explicit RtDetrHead(const HeadPlan& plan)
      : classes_(plan.classes), has_picked_(plan.has_picked) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const auto size = static_cast<std::size_t>(output.shape[1] * output.shape[2]);
    const auto values = output.values.subspan(item * size, size);
    std::vector<Candidate>& candidates = suppressor_.start();
    if (has_picked_) {
      find_centred_rows({values, classes_, kRowValues}, plan.target, options.confidence,
                        candidates);
    } else {
      find(values, plan.target, options.confidence, candidates);
    }
    map_back(suppressor_.best(options), plan, into.detections);
  }

 private:
  void find(std::span<const float> values, Size input, float confidence,
            std::vector<Candidate>& candidates) const {
    const std::size_t width = 4 + classes_;
    const float* row = values.data();
    for (std::size_t i = 0; i < values.size() / width; ++i, row += width) {
      const float* best = std::max_element(row + 4, row + width);
      if (!(*best > confidence)) continue;
      const Corners corners = corners_in_parts(row, input);
      if (!corners.is_box()) continue;
      candidates.push_back({corners, *best, static_cast<std::int32_t>(best - row - 4),
                            static_cast<std::uint32_t>(i)});
    }
  }

  std::size_t classes_;
  bool has_picked_;
  Suppressor suppressor_;
};

// RT-DETR and D-FINE as their authors export them: labels, boxes (left, top, right, bottom) and
// scores; the model has mapped the boxes to the picture whose size it was told.
class DetrHead final : public Head {
 public:
  explicit DetrHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& labels = outputs[0];
    const auto queries = static_cast<std::size_t>(labels.shape[1]);
    const std::size_t first = item * queries;
    const float* box = outputs[1].values.data() + first * 4;
    std::vector<Candidate>& candidates = suppressor_.start();
    for (std::size_t i = 0; i < queries; ++i, box += 4) {
      const float score = outputs[2].values[first + i];
      const Corners corners{box[0], box[1], box[2], box[3]};
      const std::int64_t label = labels.integers[first + i];
      if (!(score > options.confidence) || !corners.is_box()) continue;
      if (label < 0 || label >= static_cast<std::int64_t>(classes_)) continue;
      candidates.push_back(
          {corners, score, static_cast<std::int32_t>(label), static_cast<std::uint32_t>(i)});
    }
    map_back(suppressor_.best(options), in_place(plan), into.detections);
  }

 private:
  std::size_t classes_;
  Suppressor suppressor_;
};

// The DETR family as Hugging Face's transformers exports it, and RF-DETR: [queries][a logit a
// class] and boxes in parts of the input. One query may see several classes; the best pairs count,
// as many as there are queries. The first DETR has one more logit, of "nothing", and a softmax.
class DetrLogitsHead final : public Head {
 public:
  explicit DetrLogitsHead(const HeadPlan& plan)
      : classes_(plan.classes), has_nothing_(plan.has_nothing) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const auto queries = static_cast<std::size_t>(outputs[0].shape[1]);
    const auto width = static_cast<std::size_t>(outputs[0].shape[2]);
    const float* logits = outputs[0].values.data() + item * queries * width;
    const float* boxes = outputs[1].values.data() + item * queries * 4;
    std::vector<Candidate>& candidates = suppressor_.start();
    const float limit = logit_limit(options.confidence);
    for (std::size_t i = 0; i < queries; ++i, logits += width, boxes += 4) {
      const Query query{corners_in_parts(boxes, plan.target), logits, i};
      if (!query.corners.is_box()) continue;
      if (has_nothing_) {
        add_best(query, options.confidence, candidates);
      } else {
        add_all(query, options.confidence, limit, candidates);
      }
    }
    DetectionOptions bounded = options;
    bounded.max_detections = std::min(options.max_detections, queries);
    map_back(suppressor_.best(bounded), plan, into.detections);
  }

 private:
  struct Query {
    Corners corners;
    const float* logits;
    std::size_t number;
  };

  void add(const Query& query, std::size_t class_id, float score,
           std::vector<Candidate>& candidates) const {
    candidates.push_back({query.corners, score, static_cast<std::int32_t>(class_id),
                          static_cast<std::uint32_t>(query.number * classes_ + class_id)});
  }

  void add_all(const Query& query, float confidence, float limit,
               std::vector<Candidate>& candidates) const {
    for (std::size_t c = 0; c < classes_; ++c) {
      if (!(query.logits[c] > limit)) continue;
      const float score = sigmoid(query.logits[c]);
      if (score > confidence) add(query, c, score, candidates);
    }
  }

  void add_best(const Query& query, float confidence, std::vector<Candidate>& candidates) const {
    const float* end = query.logits + classes_ + 1;
    const float highest = *std::max_element(query.logits, end);
    float sum = 0;
    for (const float* logit = query.logits; logit != end; ++logit)
      sum += std::exp(*logit - highest);
    const float* best = std::max_element(query.logits, query.logits + classes_);
    const float score = std::exp(*best - highest) / sum;
    if (score > confidence) {
      add(query, static_cast<std::size_t>(best - query.logits), score, candidates);
    }
  }

  std::size_t classes_;
  bool has_nothing_;
  Suppressor suppressor_;
};

}  // namespace

std::unique_ptr<Head> make_query_head(const HeadPlan& plan) {
  if (plan.kind == HeadKind::detr) return std::make_unique<DetrHead>(plan);
  if (plan.kind == HeadKind::detr_logits) return std::make_unique<DetrLogitsHead>(plan);
  return std::make_unique<RtDetrHead>(plan);
}

}  // namespace andon::vision
