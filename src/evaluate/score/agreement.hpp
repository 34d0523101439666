// SPDX-License-Identifier: Apache-2.0
// How alike two models are in what they find, without labels: the gate for an optimised model
// where nobody has labelled pictures. Symmetric in the two. Pure; any thread.
#pragma once

#include <span>
#include <vector>

#include "vision/heads/detections.hpp"

namespace andon::evaluate {

struct AgreementOptions {
  double confidence = 0.25;  // what is above it counts
  double iou = 0.5;          // boxes of a class that overlap so much are the same finding
};

// Findings are paired one to one, same class, best overlap first. A partner may have as little as
// half of the confidence, so that 0.26 and 0.24 are two opinions of one object and not an object
// that one model lost.
// So left + right = 2 * both + (paired - both) + alone.
struct ImageAgreement {
  std::size_t image = 0;
  std::size_t left = 0;  // findings above the confidence
  std::size_t right = 0;
  std::size_t paired = 0;
  std::size_t both = 0;   // pairs of which both are above the confidence
  std::size_t alone = 0;  // findings of either without a partner
  double iou_sum = 0;     // over pairs
  double score_difference_sum = 0;
  double score_difference_max = 0;
  // Sum over pairs of IoU * (1 - score difference); 1 for each pair that is the same.
  double likeness = 0;

  // 1: the same; 0: nothing in common; 1 where neither found anything.
  [[nodiscard]] double similarity() const;
};

struct Agreement {
  AgreementOptions options;
  std::size_t left = 0;
  std::size_t right = 0;
  std::size_t paired = 0;
  std::size_t both = 0;
  std::size_t alone = 0;
  std::size_t images_with_other_counts = 0;   // left != right
  std::size_t images_with_other_verdict = 0;  // one found something, the other nothing
  // Over all findings of all pictures. Means nothing where paired + alone is 0: then it is 1.
  double similarity = 1;
  double mean_iou = 1;  // of pairs
  double mean_score_difference = 0;
  double max_score_difference = 0;
  std::vector<ImageAgreement> images;
};

using DetectionsOfImage = std::span<const vision::Detection>;

// Both have one entry a picture, in the same order.
[[nodiscard]] Agreement agreement(std::span<const DetectionsOfImage> left,
                                  std::span<const DetectionsOfImage> right,
                                  const AgreementOptions& options = {});

// Least alike first, at most `count`; pictures on which they agree entirely are left out.
[[nodiscard]] std::vector<ImageAgreement> least_alike(const Agreement& agreement,
                                                      std::size_t count);

}  // namespace andon::evaluate
