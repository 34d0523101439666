// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspector.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/log.hpp"
#include "inspect/drawing.hpp"
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

// What was found, with labels, down to the confidence that is asked for.
void note_findings(const vision::Findings& found, const vision::Detector& detector,
                   const Settings& settings, Inspection& inspection) {
  const auto best = [&](float score) {
    inspection.best_score = std::max(inspection.best_score.value_or(0), double{score});
  };
  if (!found.detections.empty()) best(found.detections.front().confidence);
  for (std::size_t i = 0; i < found.detections.size(); ++i) {
    const vision::Detection& detection = found.detections[i];
    if (!(detection.confidence > static_cast<float>(settings.confidence))) continue;
    inspection.detections.push_back({detection, detector.label(detection.class_id)});
    if (i < found.masks.size()) inspection.masks.push_back(found.masks[i]);
  }
  for (const vision::ClassScore& score : found.classes) {
    best(score.confidence);
    inspection.classes.push_back({score, detector.label(score.class_id)});
  }
  if (!found.anomaly) return;
  best(found.anomaly->score);
  inspection.anomaly = {double{found.anomaly->score},
                        vision::to_grey(*found.anomaly, settings.anomaly.map_side)};
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
  if (job.inspection.error) {
    job.inspection.detections.clear();
    job.inspection.masks.clear();
  }
  job.message = to_message(job.inspection, {.thing = options_.thing,
                                            .component = options_.component,
                                            .model = job.model->component,
                                            .model_sha256 = job.model->sha256});
}

const vision::Image& Inspector::decode(Desk& desk, const vision::Detector& detector,
                                       const Frame& frame) const {
  if (frame.has_pixels()) return frame.image;
  if (is_raw_name(frame.name)) {
    if (!options_.raw_format) {
      throw Error(ErrorCode::invalid_argument,
                  frame.name +
                      " is a raw frame; say its format with --raw-format, as in "
                      "1280x1024:mono8");
    }
    vision::decode_raw(frame.bytes, frame.name, *options_.raw_format, desk.raw);
    return desk.raw;
  }
  vision::DecodeHint hint;
  if (options_.annotations.empty()) {
    hint.colours = vision::DecodeHint::Colours::may_be_planes;
    if (options_.decoding == InspectorOptions::Decoding::scaled) {
      hint.input = detector.description().input;
    }
  }
  return desk.decoder.decode(frame.bytes, frame.name, hint);
}

void Inspector::inspect(Desk& desk, vision::Detector& detector, Job& job) const {
  Inspection& inspection = job.inspection;
  const Settings& settings = *job.settings;
  const auto start = SteadyClock::now();
  const vision::Image& image = decode(desk, detector, job.frame);
  inspection.decode = SteadyClock::now() - start;
  inspection.size = image.full_size();

  const auto& result = detector.detect(image, detection_options(settings, options_.uploads));
  inspection.preprocess = result.preprocess;
  inspection.inference = result.inference;
  inspection.postprocess = result.postprocess;
  note_findings(result, detector, settings, inspection);
  if (!options_.annotations.empty()) {
    try {
      write_annotated(options_.annotations, image, inspection,
                      {result.anomaly ? &*result.anomaly : nullptr, settings.anomaly.heat});
    } catch (const Error& error) {
      base::log_error("an annotated picture cannot be written", {{"error", error.message()}});
    }
  }
  if (options_.uploads == Uploads::off) return;
  const double draw = std::uniform_real_distribution<double>(0, 1)(desk.random);
  job.upload = why_upload(inspection.best_score, settings.uploads, draw);
  if (job.upload && job.frame.has_pixels()) job.frame.bytes = vision::encode_jpeg(image, 95);
}

}  // namespace andon::inspect
