// SPDX-License-Identifier: Apache-2.0
// Letterboxing as Ultralytics does it: scale to fit, centre, pad with grey 114, RGB 0..1 planar.
// The scaling reproduces OpenCV's resize(INTER_LINEAR) of 8-bit pictures bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vision/image.hpp"
#include "vision/pixel_kernels.hpp"

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
  explicit Letterboxer(Size target, const PixelKernels& kernels = best_kernels());

  // Writes the picture into `tensor` (3 * height * width floats: the R plane, G, B; 0..1).
  LetterboxPlan fill(const Image& image, std::span<float> tensor);

  // The letterboxed 8-bit picture of the last fill(), as the reference data has its digest.
  [[nodiscard]] const Image& canvas() const { return canvas_; }

 private:
  void prepare(const LetterboxPlan& plan);
  void scale(const Image& image);
  void halve(const Image& image);

  Size target_;
  const PixelKernels& kernels_;
  LetterboxPlan plan_;
  Image canvas_;
  std::vector<ResizeTap> columns_;
  std::vector<ResizeTap> rows_;
  std::vector<std::int16_t> upper_;  // source rows scaled horizontally
  std::vector<std::int16_t> lower_;
};

}  // namespace andon::vision
