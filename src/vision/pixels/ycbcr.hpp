// SPDX-License-Identifier: Apache-2.0
// From a JPEG's planes to rows that have all colours at every pixel: what libjpeg makes of them,
// bit for bit (its "fancy upsampling"; JFIF 1.02 for the colours). Internal to vision/.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vision/pixels/image.hpp"
#include "vision/pixels/pixel_kernels.hpp"

namespace andon::vision {

// Keeps its buffers between rows; belongs to one thread at a time.
class ChromaWidener {
 public:
  explicit ChromaWidener(const PixelKernels& kernels = best_kernels()) : kernels_(kernels) {}

  // Row `y` of a picture that has planes. Valid until the next row in the same `place` (0 or 1), or
  // the next picture.
  YcbcrRow row(const Image& image, int y, std::size_t place);

 private:
  const PixelKernels& kernels_;
  std::array<std::vector<std::uint8_t>, 2> wide_;
};

}  // namespace andon::vision
