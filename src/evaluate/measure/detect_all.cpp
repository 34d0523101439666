// SPDX-License-Identifier: Apache-2.0
#include "evaluate/measure/detect_all.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/os/file.hpp"
#include "base/parallel/parallel.hpp"
#include "evaluate/labels/unreadable.hpp"
#include "vision/image/decode.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxFileBytes = 256U << 20U;

ImageDetections look_at(const fs::path& file, vision::ImageDecoder& decoder,
                        vision::Detector& detector, const vision::DetectionOptions& options) {
  ImageDetections result;
  const vision::Image* image = nullptr;
  try {
    const std::string bytes = base::read_file(file, kMaxFileBytes);
    const auto start = SteadyClock::now();
    image = &decoder.decode(bytes, file.filename().string(),
                            {.colours = vision::DecodeHint::Colours::may_be_planes});
    result.decode = SteadyClock::now() - start;
  } catch (const Error& error) {
    result.error = error;
    return result;
  }
  result.size = image->size;
  vision::Detector::Result found = detector.detect(*image, options);
  result.detections = std::move(found.detections);
  result.preprocess = found.preprocess;
  result.inference = found.inference;
  result.postprocess = found.postprocess;
  return result;
}

}  // namespace

ModelDetections detect_all(const vision::OnnxRuntime& runtime, const vision::ModelFile& model,
                           std::span<const fs::path> files, const DetectAllOptions& options) {
  ModelDetections result;
  result.images.resize(files.size());
  const vision::DetectorOptions detector_options{.session = {}, .input_size = options.input_size};
  // The first session is made here, so that a model that cannot be run fails once.
  vision::Detector first(runtime, model, detector_options);
  result.model = first.description();
  std::atomic<std::size_t> done{0};
  // Only the caller's thread reports, and ends it all; the others end after their picture.
  const auto report = [&] {
    if (options.on_progress && done > 0 && done < files.size()) {
      options.on_progress(done, files.size());
    }
    const bool is_late = options.deadline && SteadyClock::now() > *options.deadline;
    if (!options.stop.stop_requested() && !is_late) return;
    throw Error(is_late ? ErrorCode::deadline_exceeded : ErrorCode::cancelled,
                fmt::format("{}: {} after {} of {} pictures", model.name,
                            is_late ? "the time for it was over" : "it was stopped", done.load(),
                            files.size()));
  };
  base::share_tasks(files.size(), base::worker_count(options.workers), [&](base::Share& share) {
    std::optional<vision::Detector> own;
    if (share.worker() > 0) own.emplace(runtime, model, detector_options);
    vision::ImageDecoder decoder;
    if (!own) report();
    while (const auto index = share.take()) {
      result.images[*index] =
          look_at(files[*index], decoder, own ? *own : first, options.detection);
      ++done;
      if (!own) report();
    }
  });
  if (options.on_progress) options.on_progress(files.size(), files.size());
  return result;
}

void require_all_readable(const ModelDetections& detections, std::span<const fs::path> files) {
  UnreadablePictures unreadable;
  for (std::size_t i = 0; i < detections.images.size(); ++i) {
    const std::optional<Error>& error = detections.images[i].error;
    if (error) unreadable.note(files[i], *error);
  }
  unreadable.throw_if_any(files.size());
}

std::vector<Findings> findings_of(const ModelDetections& detections, const Dataset& dataset) {
  const std::vector<std::size_t> categories = match_labels(dataset, detections.model.labels);
  std::vector<Findings> findings;
  findings.reserve(dataset.images.size());
  for (std::size_t i = 0; i < dataset.images.size(); ++i) {
    const LabelledImage& image = dataset.images[i];
    const ImageDetections& found = detections.images.at(i);
    if (image.size != vision::Size{} && image.size != found.size) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("the labels do not fit the pictures: '{}' has {}x{} pixels, the labels "
                      "say {}x{}{}",
                      image.file_name, found.size.width, found.size.height, image.size.width,
                      image.size.height,
                      image.size == vision::Size{found.size.height, found.size.width}
                          ? " (the file says that it is to be turned, EXIF; boxes have to be "
                            "those of the turned picture)"
                          : ""));
    }
    findings.push_back(to_findings(found.detections, categories));
  }
  return findings;
}

}  // namespace andon::evaluate
