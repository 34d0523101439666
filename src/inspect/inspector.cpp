// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspector.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

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

// What was found, with labels, down to the confidence that is asked for. Masks are written over
// those of the picture before, whose buffers they keep.
void note_findings(const vision::Findings& found, const vision::Detector& detector,
                   const Settings& settings, Inspection& inspection) {
  const auto best = [&](float score) {
    inspection.best_score = std::max(inspection.best_score.value_or(0), double{score});
  };
  if (!found.detections.empty()) best(found.detections.front().confidence);
  std::size_t masks = 0;
  for (std::size_t i = 0; i < found.detections.size(); ++i) {
    const vision::Detection& detection = found.detections[i];
    if (!(detection.confidence > static_cast<float>(settings.confidence))) continue;
    inspection.detections.push_back({detection, detector.label(detection.class_id)});
    if (i >= found.masks.size()) continue;
    if (masks == inspection.masks.size()) inspection.masks.emplace_back();
    inspection.masks[masks++] = found.masks[i];
  }
  inspection.masks.resize(masks);
  for (const vision::ClassScore& score : found.classes) {
    best(score.confidence);
    inspection.classes.push_back({score, detector.label(score.class_id)});
  }
  if (!found.anomaly) return;
  best(found.anomaly->score);
  inspection.anomaly = {double{found.anomaly->score},
                        vision::to_grey(*found.anomaly, settings.anomaly.map_side)};
}

// What `step` throws.
template <typename Step>
std::optional<Error> problem_of(Step step) {
  try {
    step();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, error.what());
  }
}

}  // namespace

Inspector::Inspector(InspectorOptions options, const base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  set_workers(options_.workers);
}

void Inspector::set_workers(int workers) {
  while (std::cmp_less(desks_.size(), workers)) {
    Desk& desk = *desks_.emplace_back(std::make_unique<Desk>());
    desk.identity.thing = options_.thing;
    desk.identity.component = options_.component;
  }
}

void Inspector::look(int worker, std::span<Job* const> jobs) {
  find(worker, jobs);
  Identity& identity = desks_[static_cast<std::size_t>(worker)]->identity;
  identity.model = jobs.front()->model->component;
  identity.model_sha256 = jobs.front()->model->sha256;
  for (Job* job : jobs) job->message = to_message(job->inspection, identity);
}

void Inspector::find(int worker, std::span<Job* const> jobs) {
  const auto index = static_cast<std::size_t>(worker);
  Desk& desk = *desks_[index];
  const Model& model = *jobs.front()->model;
  vision::Detector& detector = *model.detectors[index];
  decode_all(desk, detector, jobs);
  const bool has_one_input = !detector.description().follows_picture;
  for (std::span<Sight> rest(desk.sights); !rest.empty();) {
    // Where the input follows the picture, one run is for pictures of one size: what is found in
    // one does not depend on those beside it.
    const vision::Size size = rest.front().image->full_size();
    const auto others = std::partition(rest.begin(), rest.end(), [&](const Sight& sight) {
      return has_one_input || sight.image->full_size() == size;
    });
    const auto alike = static_cast<std::size_t>(others - rest.begin());
    const std::size_t count = std::min(alike, model.parallelism.batch);
    detect(desk, detector, rest.first(count));
    rest = rest.subspan(count);
  }
  for (Job* job : jobs) {
    if (!job->inspection.error) continue;
    job->inspection.detections.clear();
    job->inspection.masks.clear();
  }
}

void Inspector::decode_all(Desk& desk, const vision::Detector& detector,
                           std::span<Job* const> jobs) {
  desk.sights.clear();
  while (desk.seats.size() < jobs.size()) desk.seats.push_back(std::make_unique<Seat>());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    Job& job = *jobs[i];
    Inspection& inspection = job.inspection;
    inspection.clear();
    job.upload.reset();
    inspection.timestamp = clock_.now();
    inspection.image_name = job.frame.name;
    inspection.error = problem_of([&] {
      read_picture(job.frame);
      if (job.frame.problem) throw *job.frame.problem;
      const auto start = SteadyClock::now();
      const vision::Image& image = decode(*desk.seats[i], detector, job.frame);
      inspection.decode = SteadyClock::now() - start;
      inspection.size = image.full_size();
      desk.sights.push_back({&job, &image});
    });
  }
}

const vision::Image& Inspector::decode(Seat& seat, const vision::Detector& detector,
                                       const Frame& frame) const {
  if (frame.has_pixels()) return frame.image;
  if (is_raw_name(frame.name)) {
    if (!options_.raw_format) {
      throw Error(ErrorCode::invalid_argument,
                  frame.name +
                      " is a raw frame; say its format with --raw-format, as in "
                      "1280x1024:mono8");
    }
    vision::decode_raw(frame.bytes, frame.name, *options_.raw_format, seat.raw);
    return seat.raw;
  }
  vision::DecodeHint hint;
  if (options_.annotations.empty()) {
    hint.colours = vision::DecodeHint::Colours::may_be_planes;
    if (options_.decoding == InspectorOptions::Decoding::scaled) {
      hint.input = detector.description().input;
    }
  }
  return seat.decoder.decode(frame.bytes, frame.name, hint);
}

// One run of the network.
void Inspector::detect(Desk& desk, vision::Detector& detector,
                       std::span<const Sight> sights) const {
  desk.images.clear();
  for (const Sight& sight : sights) desk.images.push_back(sight.image);
  std::span<const vision::Detector::Result> found;
  const auto problem = problem_of([&] {
    found = detector.detect(desk.images,
                            detection_options(*sights.front().job->settings, options_.uploads));
  });
  if (problem && sights.size() > 1) {  // whosever fault it is: each on its own
    for (std::size_t i = 0; i < sights.size(); ++i) detect(desk, detector, sights.subspan(i, 1));
    return;
  }
  for (std::size_t i = 0; i < sights.size(); ++i) {
    Job& job = *sights[i].job;
    job.inspection.error = problem;
    if (problem) continue;
    job.inspection.error =
        problem_of([&] { finish(desk, detector, sights[i], found[i], sights.size()); });
  }
}

void Inspector::finish(Desk& desk, const vision::Detector& detector, const Sight& sight,
                       const vision::Detector::Result& found, std::size_t batch) const {
  Job& job = *sight.job;
  Inspection& inspection = job.inspection;
  const auto share = static_cast<double>(batch);
  inspection.batch = batch;
  inspection.preprocess = found.preprocess / share;
  inspection.inference = found.inference / share;
  inspection.postprocess = found.postprocess / share;
  note_findings(found, detector, *job.settings, inspection);
  if (!options_.annotations.empty()) {
    try {
      write_annotated(options_.annotations, *sight.image, inspection,
                      {found.anomaly ? &*found.anomaly : nullptr, job.settings->anomaly.heat});
    } catch (const Error& error) {
      base::log_error("an annotated picture cannot be written", {{"error", error.message()}});
    }
  }
  if (options_.uploads == Uploads::off) return;
  const double draw = std::uniform_real_distribution<double>(0, 1)(desk.random);
  job.upload = why_upload(inspection.best_score, job.settings->uploads, draw);
  if (job.upload && job.frame.has_pixels()) {
    job.frame.bytes = vision::encode_jpeg(*sight.image, 95);
  }
}

}  // namespace andon::inspect
