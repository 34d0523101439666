// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error/error.hpp"
#include "base/parallel/parallel.hpp"
#include "base/text/encoding.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/onnx.hpp"
#include "trust/digests/digest.hpp"
#include "vision/image/decode.hpp"
#include "vision/pixels/letterbox.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::size_t kMaxPictureBytes = 256U << 20U;

// Of one tensor in one picture.
Range extremes_of(std::span<const float> values, const std::string& tensor, const fs::path& file) {
  // Four lanes at a time would do, but the compiler makes more of a plain loop over a fixed block.
  constexpr std::size_t kBlock = 16;
  std::array<float, kBlock> low{};
  std::array<float, kBlock> high{};
  std::array<float, kBlock> poison{};
  std::size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    for (std::size_t lane = 0; lane < kBlock; ++lane) {
      const float value = values[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
      poison[lane] += value * 0.0F;  // not a number, or infinite: stays not a number
    }
  }
  Range range;
  float bad = 0;
  for (std::size_t lane = 0; lane < kBlock; ++lane) {
    range.low = std::min(range.low, low[lane]);
    range.high = std::max(range.high, high[lane]);
    bad += poison[lane];
  }
  for (; i < values.size(); ++i) {
    range.low = std::min(range.low, values[i]);
    range.high = std::max(range.high, values[i]);
    bad += values[i] * 0.0F;
  }
  if (std::isnan(bad)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("tensor '{}' is not finite for picture {}: the model cannot be "
                            "calibrated with it",
                            tensor, file.filename().string()));
  }
  return range;
}

// What one worker has seen of each tensor.
struct Seen {
  std::vector<Histogram> histograms;
};

struct Plan {
  const vision::OnnxRuntime& runtime;
  const Model& model;
  const std::vector<std::string>& tensors;
  const CalibrationSet& pictures;
  const CalibrationOptions& options;
  vision::Size size;
  std::vector<ModelInput> inputs;
  bool needs_histogram;
};

// Runs every picture and gives the range of each tensor, in the order of plan.tensors from
// `first` on.
class Collector {
 public:
  Collector(const Plan& plan, std::vector<std::string> tensors)
      : plan_(plan),
        tensors_(std::move(tensors)),
        extremes_(plan.pictures.files.size(), std::vector<Range>(tensors_.size())) {}

  void run(const std::function<void()>& on_picture) {
    const std::size_t tasks = plan_.pictures.files.size();
    const std::size_t workers = std::min(base::worker_count(plan_.options.workers), tasks);
    seen_.resize(workers);
    base::share_tasks(tasks, workers, [&](base::Share& share) {
      const bool is_caller = share.worker() == 0;
      work(share, seen_.at(share.worker()), is_caller ? on_picture : std::function<void()>([] {}));
    });
  }

  [[nodiscard]] Range range(std::size_t tensor) const {
    const CalibrationOptions& options = plan_.options;
    if (plan_.needs_histogram) {
      Histogram all;
      for (const Seen& seen : seen_) {
        if (!seen.histograms.empty()) all.add(seen.histograms[tensor]);
      }
      return options.method == CalibrationMethod::entropy ? all.entropy()
                                                          : all.percentile(options.percentile);
    }
    Range range = extremes_.front()[tensor];
    const auto share = static_cast<float>(options.moving_average_share);
    for (const std::vector<Range>& picture : extremes_) {
      const Range& now = picture[tensor];
      if (options.method == CalibrationMethod::moving_average) {
        range.low += (now.low - range.low) * share;
        range.high += (now.high - range.high) * share;
      } else {
        range.low = std::min(range.low, now.low);
        range.high = std::max(range.high, now.high);
      }
    }
    return range;
  }
  [[nodiscard]] const std::vector<std::string>& tensors() const { return tensors_; }

 private:
  void work(base::Share& share, Seen& seen, const std::function<void()>& on_picture) {
    vision::SessionOptions settings;
    settings.optimization = vision::SessionOptions::Optimization::basic;
    Execution execution(plan_.runtime, plan_.model, tensors_, plan_.inputs, settings);
    PictureSource source(plan_.size, plan_.options.preprocessing);
    if (plan_.needs_histogram) seen.histograms.resize(tensors_.size());
    while (const auto number = share.take()) {
      const fs::path& file = plan_.pictures.files[*number];
      const auto& values = execution.run(source.read(file));
      for (std::size_t i = 0; i < tensors_.size(); ++i) {
        extremes_[*number][i] = extremes_of(values[i].floats(), tensors_[i], file);
        if (plan_.needs_histogram) seen.histograms[i].add(values[i].floats());
      }
      on_picture();
    }
  }

  const Plan& plan_;
  std::vector<std::string> tensors_;
  std::vector<std::vector<Range>> extremes_;  // by picture, each written by one worker
  std::vector<Seen> seen_;                    // by worker
};

// Groups of tensors whose values fit into `max_bytes`.
std::vector<std::vector<std::string>> group(const Plan& plan) {
  const auto facts = observe(plan.runtime, plan.model, plan.options.input_size);
  std::vector<std::vector<std::string>> groups(1);
  std::size_t bytes = 0;
  for (const std::string& tensor : plan.tensors) {
    std::size_t size = sizeof(float);
    const auto known = facts.find(tensor);
    if (known != facts.end()) size *= element_count(known->second.shape);
    if (bytes > 0 && bytes + size > plan.options.max_bytes) {
      groups.emplace_back();
      bytes = 0;
    }
    bytes += size;
    groups.back().push_back(tensor);
  }
  return groups;
}

}  // namespace

std::string_view to_string(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::min_max:
      return "min-max";
    case CalibrationMethod::moving_average:
      return "moving-average";
    case CalibrationMethod::percentile:
      return "percentile";
    case CalibrationMethod::entropy:
      return "entropy";
  }
  return "?";
}

CalibrationMethod parse_calibration_method(std::string_view text) {
  for (const auto method : {CalibrationMethod::min_max, CalibrationMethod::moving_average,
                            CalibrationMethod::percentile, CalibrationMethod::entropy}) {
    if (text == to_string(method)) return method;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("'{}' is no calibration method; there are min-max, moving-average, "
                          "percentile and entropy",
                          text));
}

CalibrationSet choose_pictures(const fs::path& directory, std::size_t max_images,
                               vision::Folders folders) {
  const std::vector<fs::path> all = vision::picture_files(directory, folders);
  CalibrationSet chosen;
  const std::size_t count = std::min(std::max<std::size_t>(max_images, 1), all.size());
  trust::Sha256Stream stream;
  for (std::size_t i = 0; i < count; ++i) {
    const fs::path& file = all[i * all.size() / count];
    chosen.files.push_back(file);
    stream.update(file.filename().string() + '\n' + trust::sha256_hex_of_file(file) + '\n');
  }
  const trust::Sha256 digest = stream.finish();
  chosen.digest = "sha256:" + base::to_hex(digest);
  return chosen;
}

vision::Size picture_size(const Model& model, std::optional<vision::Size> input_size) {
  const auto inputs = inputs_of(model, input_size);
  if (inputs.size() != 1 || inputs[0].element_type != onnx::TensorProto::FLOAT ||
      inputs[0].shape.size() != 4 || inputs[0].shape[0] != 1 || inputs[0].shape[1] != 3) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: its input is not one float32 picture [1,3,height,width]", model.name()));
  }
  return {static_cast<int>(inputs[0].shape[3]), static_cast<int>(inputs[0].shape[2])};
}

struct PictureSource::Implementation {
  vision::ImageDecoder decoder;
  vision::Letterboxer letterboxer;
  std::vector<float> tensor;
  Implementation(vision::Size size, const vision::Preprocessing& preprocessing)
      : letterboxer(size, preprocessing),
        tensor(3 * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height)) {}
};

PictureSource::PictureSource(vision::Size size, const vision::Preprocessing& preprocessing)
    : implementation_(std::make_unique<Implementation>(size, preprocessing)) {}
PictureSource::PictureSource(PictureSource&&) noexcept = default;
PictureSource::~PictureSource() = default;

std::span<const float> PictureSource::read(const fs::path& file) {
  const std::string bytes = base::read_file(file, kMaxPictureBytes);
  try {
    const vision::Image& image = implementation_->decoder.decode(
        bytes, file.filename().string(), {.colours = vision::DecodeHint::Colours::may_be_planes});
    implementation_->letterboxer.fill(image, implementation_->tensor);
  } catch (const Error& error) {
    // Damaged or no picture at all: the same for who named the folder.
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a picture to calibrate with cannot be read: {}", error.message()));
  }
  return implementation_->tensor;
}

std::map<std::string, Range> calibrate(const vision::OnnxRuntime& runtime, const Model& model,
                                       const std::vector<std::string>& tensors,
                                       const CalibrationSet& pictures,
                                       const CalibrationOptions& options) {
  const Plan plan{runtime,
                  model,
                  tensors,
                  pictures,
                  options,
                  picture_size(model, options.input_size),
                  inputs_of(model, options.input_size),
                  options.method == CalibrationMethod::percentile ||
                      options.method == CalibrationMethod::entropy};
  std::map<std::string, Range> ranges;
  if (tensors.empty() || pictures.files.empty()) return ranges;
  const auto groups = group(plan);
  const std::size_t total = groups.size() * pictures.files.size();
  std::size_t before = 0;
  for (const auto& members : groups) {
    Collector collector(plan, members);
    std::size_t done = 0;
    collector.run([&] {
      ++done;
      if (options.on_progress) options.on_progress(before + done, total);
    });
    before += pictures.files.size();
    if (options.on_progress) options.on_progress(before, total);
    for (std::size_t i = 0; i < members.size(); ++i) ranges[members[i]] = collector.range(i);
  }
  return ranges;
}

}  // namespace andon::model
