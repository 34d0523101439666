// SPDX-License-Identifier: Apache-2.0
// Masks of detections out of a segmenting network's prototypes: the prototypes weighed by a
// detection's own weights, brought to the picture and cut to the box, as Ultralytics does it with
// `retina_masks`. Internal to vision/.
#pragma once

#include <cstddef>
#include <vector>

#include "vision/findings/findings.hpp"
#include "vision/pixels/letterbox.hpp"
#include "vision/runtime/session.hpp"

namespace andon::vision {

inline constexpr std::size_t kMaskWeights = 32;

// kMaskWeights values, `pitch` apart.
struct MaskWeights {
  const float* values;
  std::size_t pitch;
};

// Keeps its memory between pictures; belongs to one thread at a time.
class MaskMaker {
 public:
  // The picture whose masks are wanted next: `item` of the prototypes [N,32,h,w].
  void start(const Session::Output& prototypes, std::size_t item, const LetterboxPlan& plan);

  // False where the mask would be empty. `box` in pixels of the picture.
  bool make(const MaskWeights& weights, const Box& box, Mask& mask);

 private:
  // Between two neighbouring cells.
  struct Place {
    int first;
    int second;
    float second_weight;
  };
  // `at` cells from the middle of the first; beyond the ends it is the outermost.
  static Place between(float at, int cells);

  // Along one side: the prototypes' map is enlarged until the padding is made of whole cells, those
  // are cut away, and what is left is brought to the picture.
  struct Side {
    int map = 0;      // cells
    int content = 0;  // enlarged cells that show the picture
    int padding = 0;  // enlarged cells before them
    int picture = 0;  // pixels
    [[nodiscard]] Place of_pixel(int pixel) const;
  };
  struct Range {
    int begin = 0;
    int end = 0;
  };
  static Range pixels_between(float low, float high, int limit);
  void plan_sides(const LetterboxPlan& plan);
  void enlarge(Range columns, Range rows);
  [[nodiscard]] float enlarged_at(const Place& across, const Place& down) const;

  const float* maps_ = nullptr;
  Size picture_;
  Side across_;
  Side down_;
  int factor_ = 1;
  std::vector<float> logits_;
  Range enlarged_columns_;
  Range enlarged_rows_;
  std::vector<float> enlarged_;
};

}  // namespace andon::vision
