// SPDX-License-Identifier: Apache-2.0
// Turned boxes in the network's input: those that overlap a better one dropped as Ultralytics does
// it, the others mapped back to the picture. Internal to vision/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vision/findings/findings.hpp"
#include "vision/pixels/letterbox.hpp"

namespace andon::vision {

struct RotatedCandidate {
  RotatedBox box;  // in pixels of the input
  float score = 0;
  std::int32_t class_id = 0;
  std::uint32_t anchor = 0;  // where in the output it was found; of equal scores the lower wins
  // Has an area, and is made of numbers that a box can have.
  [[nodiscard]] bool is_box() const;
};

// How alike two turned boxes are as normal distributions, 1 for the same: Llerena and others,
// "Gaussian Bounding Boxes and Probabilistic Intersection-over-Union" (arXiv 2106.06072), with the
// roundings that Ultralytics gives it.
[[nodiscard]] float probabilistic_iou(const RotatedBox& left, const RotatedBox& right);

// Keeps its memory between pictures; belongs to one thread at a time.
class RotatedSuppressor {
 public:
  // To be filled by a head; it is sorted and cut by what follows.
  [[nodiscard]] std::vector<RotatedCandidate>& start();

  // Best first. Unlike among upright boxes, one that was dropped drops others all the same: all
  // are compared with all that are better, as Ultralytics does it ("fast" suppression).
  const std::vector<RotatedCandidate>& suppress(const DetectionOptions& options);
  // Best first, without regard to overlaps: for models that see to that themselves.
  const std::vector<RotatedCandidate>& best(const DetectionOptions& options);

 private:
  // The normal distribution that stands for a box.
  struct Gaussian {
    explicit Gaussian(const RotatedBox& box);
    float x;
    float y;
    float a;  // variances along x and y, and what they share
    float b;
    float c;
  };
  friend float probabilistic_iou(const RotatedBox& left, const RotatedBox& right);
  static float likeness(const Gaussian& left, const Gaussian& right);
  void sort();

  std::vector<RotatedCandidate> candidates_;
  std::vector<RotatedCandidate> kept_;
  std::vector<Gaussian> seen_;  // of candidates_, a class apart from each other
};

// To pixels of the picture: detections and their turned boxes, in place of what `into` had; those
// of which something is left in the picture.
void map_back(std::span<const RotatedCandidate> candidates, const LetterboxPlan& plan,
              Findings& into);

}  // namespace andon::vision
