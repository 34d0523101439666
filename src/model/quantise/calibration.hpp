// SPDX-License-Identifier: Apache-2.0
// Which values each tensor takes on real pictures: what eight bits have to reach. Pictures are
// made the network's input as on the device. The result depends on the pictures and the method
// only, not on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "model/graph/model.hpp"
#include "vision/image/picture_files.hpp"
#include "vision/pixels/image.hpp"
#include "vision/pixels/letterbox.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

enum class CalibrationMethod { min_max, moving_average, percentile, entropy };
[[nodiscard]] std::string_view to_string(CalibrationMethod method);
[[nodiscard]] CalibrationMethod parse_calibration_method(std::string_view text);

// What is kept inside: a range always holds 0.
struct Range {
  float low = 0;
  float high = 0;
  bool operator==(const Range&) const = default;
};

// How often which values came, in a grid of bins whose width is a power of two and that holds 0 as
// a border: a wider range merges pairs of bins, so that the order of observations does not matter.
class Histogram {
 public:
  void add(std::span<const float> values);
  void add(const Histogram& other);
  [[nodiscard]] Range extremes() const { return extremes_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  // Leaves (1 - share) of the values out, from whichever end they are fewer.
  [[nodiscard]] Range percentile(double share) const;
  // The range whose 256 steps keep most of the distribution (least Kullback-Leibler divergence).
  [[nodiscard]] Range entropy() const;

 private:
  static constexpr int kBins = 4096;
  void reach(Range range);
  void coarsen();
  [[nodiscard]] double width() const;

  std::vector<std::uint64_t> bins_;
  int exponent_ = 0;        // the width is 2^exponent_
  std::int64_t first_ = 0;  // number of the first bin: it begins at first_ * width
  Range extremes_;
  std::uint64_t count_ = 0;
};

struct CalibrationOptions {
  CalibrationMethod method = CalibrationMethod::min_max;
  double percentile = 0.9999;
  double moving_average_share = 0.05;   // of each new picture
  std::size_t max_images = 100;         // spread over the directory
  std::size_t max_bytes = 512U << 20U;  // of tensors looked at in one run; more take more runs
  std::optional<vision::Size> input_size;
  vision::Preprocessing preprocessing;  // as the device does it
  int workers = 0;                      // 0: one a core
  std::function<void(std::size_t done, std::size_t total)> on_progress;
};

// Pictures chosen from a directory, by name. Throws not_found where it has none.
struct CalibrationSet {
  std::vector<base::fs::path> files;
  std::string digest;  // "sha256:<hex>" over names and contents
};
[[nodiscard]] CalibrationSet choose_pictures(const base::fs::path& directory,
                                             std::size_t max_images,
                                             vision::Folders folders = vision::Folders::this_one);

// Ranges of `tensors` (float32 ones of the model). Throws invalid_argument for a model whose
// input is not one picture, for a picture that cannot be read, and where a tensor takes a value
// that is not a number.
[[nodiscard]] std::map<std::string, Range> calibrate(const vision::OnnxRuntime& runtime,
                                                     const Model& model,
                                                     const std::vector<std::string>& tensors,
                                                     const CalibrationSet& pictures,
                                                     const CalibrationOptions& options);

// Letterboxed pictures as the model's input.
class PictureSource {
 public:
  explicit PictureSource(vision::Size size, const vision::Preprocessing& preprocessing = {});
  PictureSource(PictureSource&&) noexcept;
  ~PictureSource();
  // Valid until the next call.
  [[nodiscard]] std::span<const float> read(const base::fs::path& file);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Of a model with one float32 [1,3,H,W] input; throws invalid_argument for others.
[[nodiscard]] vision::Size picture_size(const Model& model, std::optional<vision::Size> input_size);

}  // namespace andon::model
