// SPDX-License-Identifier: Apache-2.0
// Letterboxing as Ultralytics does it: scale to fit, centre, pad with grey 114, RGB 0..1 planar.
// The scaling reproduces OpenCV's resize(INTER_LINEAR) of 8-bit pictures bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vision/image.hpp"

namespace andon::vision {

// Where a picture lies in the network's input.
struct LetterboxPlan {
  Size source;
  Size target;       // the network's input
  Size scaled;       // the picture inside it
  double ratio = 1;  // scaled = source * ratio
  int left = 0;
  int top = 0;
};
[[nodiscard]] LetterboxPlan plan_letterbox(Size source, Size target);

// Keeps its buffers between pictures; belongs to one thread at a time.
class Letterboxer {
 public:
  explicit Letterboxer(Size target);

  // Writes the picture into `tensor` (3 * height * width floats: the R plane, G, B; 0..1).
  LetterboxPlan fill(const Image& image, std::span<float> tensor);

  // The letterboxed 8-bit picture of the last fill(), as the reference data has its digest.
  [[nodiscard]] const Image& canvas() const { return canvas_; }

 private:
  void prepare(const LetterboxPlan& plan);
  void scale(const Image& image);
  void halve(const Image& image);

  struct Tap {  // one output column or row: two neighbours and their weights, of 2048 together
    std::int32_t first;
    std::int32_t second;
    std::int16_t first_weight;
    std::int16_t second_weight;
  };
  static std::vector<Tap> make_taps(int source, int scaled, bool clamp_weights);

  Size target_;
  LetterboxPlan plan_;
  Image canvas_;
  std::vector<Tap> columns_;
  std::vector<Tap> rows_;
  std::vector<std::int16_t> upper_;  // source rows scaled horizontally
  std::vector<std::int16_t> lower_;
};

}  // namespace andon::vision
