// SPDX-License-Identifier: Apache-2.0
// From a picture to a network's input: fitted into its size, padded, as planes of floats or, for
// networks that take them, as the bytes that pixels are. The
// letterbox is Ultralytics' one; the scaling reproduces OpenCV's resize(INTER_LINEAR) of 8-bit
// pictures bit for bit, also where a JPEG's colours are mixed only here; or Pillow's resize().
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "vision/pixels/image.hpp"
#include "vision/pixels/pixel_kernels.hpp"
#include "vision/pixels/resample.hpp"
#include "vision/pixels/ycbcr.hpp"

namespace andon::vision {

enum class Fit : std::uint8_t {
  letterbox,           // scaled to fit, in the middle, the rest padded with grey 114
  letterbox_top_left,  // the same in the top left corner, as YOLOX has it
  stretch,             // to the input's size, whatever becomes of the shape
  centre_crop,         // the short side scaled to fit, the long one cut
};

struct Preprocessing {
  Fit fit = Fit::letterbox;
  enum class Channels : std::uint8_t { rgb, bgr } channels = Channels::rgb;
  float divisor = 255;  // of each byte
  // How pictures are scaled: by OpenCV's bilinear filter, or by those of Pillow, which are as wide
  // as the pixels they make.
  enum class Resample : std::uint8_t { opencv, bilinear, bicubic } resample = Resample::opencv;
  int resize = 0;  // centre_crop: the short side before it is cut; 0: that of the input
  // Then, by plane: less the mean, over the deviation.
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> deviation{1, 1, 1};
  bool operator==(const Preprocessing&) const = default;
};

// Where a picture lies in the network's input.
struct LetterboxPlan {
  Size source;         // the picture's full size
  Size target;         // the network's input
  Size scaled;         // the picture inside it
  double ratio_x = 1;  // scaled = source * ratio
  double ratio_y = 1;
  int left = 0;  // negative where the picture is cut
  int top = 0;
  bool operator==(const LetterboxPlan&) const = default;
};
// `resize` as in Preprocessing.
[[nodiscard]] LetterboxPlan plan_letterbox(Size source, Size target, Fit fit = Fit::letterbox,
                                           int resize = 0);

// The smallest input that takes a picture scaled to fit into `largest`, in whole strides: what
// Ultralytics runs a model with a dynamic input at (448x640 for a picture of 3:2).
[[nodiscard]] Size smallest_input(Size source, Size largest, int stride);

// Keeps its buffers between pictures; belongs to one thread at a time.
class Letterboxer {
 public:
  explicit Letterboxer(Size target, const Preprocessing& preprocessing = {},
                       const PixelKernels& kernels = best_kernels());

  // Writes the picture into `tensor` (3 * height * width floats, planar). The padding is written
  // only when the plan or the tensor changes: nobody else may write there in between.
  const LetterboxPlan& fill(const Image& image, std::span<float> tensor);
  // The same as the bytes that pixels are, two by two: [height/2,width/2,12], of each square of
  // pixels the upper two and the lower two, each with its channels. Both sides must be even. What
  // `preprocessing` says of divisor, mean and deviation is for whoever reads the bytes.
  const LetterboxPlan& fill(const Image& image, std::span<std::uint8_t> tensor);

 private:
  // One of the two.
  struct Tensor {
    std::span<float> planes;
    std::span<std::uint8_t> squares;
    [[nodiscard]] const void* memory() const {
      if (planes.empty()) return squares.data();
      return planes.data();
    }
  };
  const LetterboxPlan& fill_either(const Image& image, const Tensor& tensor);
  void prepare(const Image& image);
  void pad(const Tensor& tensor) const;
  void copy(const Image& image, const Tensor& tensor);
  void scale(const Image& image, const Tensor& tensor);
  void resample(const Image& image, const Tensor& tensor);
  void halve(const Image& image, const Tensor& tensor);
  void mix_and_halve(const Image& image, float* tensor);
  [[nodiscard]] const std::uint8_t* rgb_row(const Image& image, int y, std::size_t buffer = 0);
  [[nodiscard]] std::array<float*, 3> planes_at(int y, float* tensor) const;
  void standardise(const std::array<float*, 3>& planes) const;
  void write_row(const std::uint8_t* rgb, int y, const Tensor& tensor) const;
  void write_squares(const std::uint8_t* rgb, int y, std::uint8_t* tensor) const;

  // What of the scaled picture is seen: all of it but where it is cut.
  struct Visible {
    int left = 0;  // in the input
    int top = 0;
    int width = 0;
    int height = 0;
  };

  Size target_;
  Preprocessing preprocessing_;
  const PixelKernels& kernels_;
  LetterboxPlan plan_;
  Visible visible_;
  Size stored_;  // the picture as it is in memory, which may have been decoded smaller
  const void* padded_ = nullptr;
  std::vector<ResizeTap> columns_;
  std::vector<ResizeTap> rows_;
  std::vector<std::int16_t> upper_;  // source rows scaled horizontally
  std::vector<std::int16_t> lower_;
  std::vector<std::uint8_t> row_;
  Resampler resampler_;
  ChromaWidener widener_;
  std::array<std::vector<std::uint8_t>, 2> mixed_;  // rows of the picture, where it has planes
};

}  // namespace andon::vision
