// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/log.hpp"
#include "vision/annotate.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

namespace {

vision::DetectionOptions detection_options(const Settings& settings, Uploads uploads) {
  vision::DetectionOptions options;
  options.iou = static_cast<float>(settings.iou);
  options.confidence = static_cast<float>(settings.confidence);
  if (uploads == Uploads::on) {
    // Scores are compared with "more than", the band includes its ends.
    const auto lowest = static_cast<float>(lowest_score(settings.uploads));
    options.confidence = std::min(options.confidence, std::nextafter(lowest, -1.0F));
  }
  return options;
}

}  // namespace

Inspector::Inspector(InspectorOptions options, const base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  for (int worker = 0; worker < options_.workers; ++worker) {
    desks_.push_back(std::make_unique<Desk>());
  }
}

void Inspector::look(int worker, Job& job) {
  const auto index = static_cast<std::size_t>(worker);
  job.inspection = {};
  job.upload.reset();
  job.inspection.timestamp = clock_.now();
  job.inspection.image_name = job.frame.name;
  try {
    read_picture(job.frame);
    if (job.frame.problem) throw *job.frame.problem;
    inspect(*desks_[index], *job.model->detectors[index], job);
  } catch (const Error& error) {
    job.inspection.error = error;
  } catch (const std::exception& error) {
    job.inspection.error = Error(ErrorCode::internal, error.what());
  }
  if (job.inspection.error) job.inspection.detections.clear();
  job.message = to_message(job.inspection, {.thing = options_.thing,
                                            .component = options_.component,
                                            .model = job.model->component,
                                            .model_sha256 = job.model->sha256});
}

void Inspector::inspect(Desk& desk, vision::Detector& detector, Job& job) const {
  Inspection& inspection = job.inspection;
  const Settings& settings = *job.settings;
  const auto start = SteadyClock::now();
  const vision::Image& image = job.frame.has_pixels()
                                   ? job.frame.image
                                   : desk.decoder.decode(job.frame.bytes, job.frame.name);
  inspection.decode = SteadyClock::now() - start;
  inspection.size = image.size;

  const auto result = detector.detect(image, detection_options(settings, options_.uploads));
  inspection.preprocess = result.preprocess;
  inspection.inference = result.inference;
  inspection.postprocess = result.postprocess;
  if (!result.detections.empty()) inspection.best_score = result.detections.front().confidence;
  for (const vision::Detection& detection : result.detections) {
    if (!(detection.confidence > static_cast<float>(settings.confidence))) continue;
    inspection.detections.push_back({detection, detector.label(detection.class_id)});
  }
  if (!options_.annotations.empty()) annotate(image, inspection);
  if (options_.uploads == Uploads::off) return;
  const double draw = std::uniform_real_distribution<double>(0, 1)(desk.random);
  job.upload = why_upload(inspection.best_score, settings.uploads, draw);
  if (job.upload && job.frame.has_pixels()) job.frame.bytes = vision::encode_jpeg(image, 95);
}

void Inspector::annotate(const vision::Image& image, const Inspection& inspection) const {
  vision::Image drawn = image;
  std::vector<vision::LabelledBox> boxes;
  for (const auto& [detection, label] : inspection.detections) {
    boxes.push_back(
        {detection.box, detection.class_id, fmt::format("{} {:.2f}", label, detection.confidence)});
  }
  vision::draw_boxes(drawn, boxes);
  base::fs::path name = inspection.image_name;
  const std::string extension = name.extension().string();
  if (extension != ".jpg" && extension != ".jpeg" && extension != ".JPG" && extension != ".JPEG") {
    name += ".jpg";
  }
  try {
    base::write_file_atomically(options_.annotations / name, vision::encode_jpeg(drawn));
  } catch (const Error& error) {
    base::log_error("an annotated picture cannot be written", {{"error", error.message()}});
  }
}

}  // namespace andon::inspect
