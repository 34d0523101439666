// SPDX-License-Identifier: Apache-2.0
// Boxes in the network's input: those that overlap a better one dropped as Ultralytics does it,
// the others mapped back to the picture. Internal to vision/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vision/findings/findings.hpp"
#include "vision/pixels/letterbox.hpp"

namespace andon::vision {

struct Corners {
  float left = 0;
  float top = 0;
  float right = 0;
  float bottom = 0;
  [[nodiscard]] float area() const { return (right - left) * (bottom - top); }
  // Has an area, and is made of numbers.
  [[nodiscard]] bool is_box() const;
};

// Of a box given as centre x, centre y, width and height in parts of an input.
[[nodiscard]] Corners corners_in_parts(const float* box, Size input);

struct Candidate {
  Corners corners;
  float score = 0;
  std::int32_t class_id = 0;
  std::uint32_t anchor = 0;  // where in the output it was found; of equal scores the lower wins
};

// Keeps its memory between pictures; belongs to one thread at a time.
class Suppressor {
 public:
  // To be filled by a head; it is sorted and cut by what follows, and scores that are not finite
  // are dropped.
  [[nodiscard]] std::vector<Candidate>& start();

  // Greedy, best first.
  const std::vector<Candidate>& suppress(const DetectionOptions& options);
  // Best first, without regard to overlaps: for models that see to that themselves.
  const std::vector<Candidate>& best(const DetectionOptions& options);

 private:
  void sort();

  std::vector<Candidate> candidates_;
  std::vector<Candidate> kept_;
  std::vector<Corners> shifted_;  // of kept_, a class apart from each other
};

// To pixels of the picture, clipped to it.
[[nodiscard]] Detection map_back(const Candidate& candidate, const LetterboxPlan& plan);
// All of which something is left in the picture, in place of what `into` had.
void map_back(std::span<const Candidate> candidates, const LetterboxPlan& plan,
              std::vector<Detection>& into);

}  // namespace andon::vision
