// SPDX-License-Identifier: Apache-2.0
#include "inspect/look/inspector.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "inspect/results/drawing.hpp"
#include "vision/draw/annotate.hpp"

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
    if (i < found.rotated.size()) inspection.rotated.push_back(found.rotated[i]);
    const std::size_t each = found.keypoints.size() / found.detections.size();
    const auto keypoints = std::span(found.keypoints).subspan(i * each, each);
    inspection.keypoints.insert(inspection.keypoints.end(), keypoints.begin(), keypoints.end());
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

// What rules for a verdict are asked of: all that the message tells.
void collect_findings(const Inspection& inspection, std::vector<Finding>& findings) {
  constexpr std::string_view kUnusual = "anomaly";
  findings.clear();
  for (const auto& [detection, label] : inspection.detections) {
    findings.push_back({label, detection.confidence, detection.box});
  }
  for (const auto& [score, label] : inspection.classes) {
    findings.push_back({label, score.confidence, std::nullopt});
  }
  if (inspection.anomaly) findings.push_back({kUnusual, inspection.anomaly->score, std::nullopt});
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
  while (std::cmp_less(workers_.size(), workers)) {
    WorkerBuffers& buffers = *workers_.emplace_back(std::make_unique<WorkerBuffers>());
    buffers.identity.thing = options_.thing;
    buffers.identity.component = options_.component;
  }
}

void Inspector::look(int worker, std::span<Job* const> jobs) {
  find(worker, jobs);
  Identity& identity = workers_[static_cast<std::size_t>(worker)]->identity;
  identity.model = jobs.front()->model->component;
  identity.model_sha256 = jobs.front()->model->sha256;
  for (Job* job : jobs) {
    job->message = to_message(job->inspection, identity);
    const bool is_file = job->frame.file && !job->frame.problem;
    job->content = is_file ? digest_of(job->frame.bytes) : 0;
  }
}

void Inspector::find(int worker, std::span<Job* const> jobs) {
  const auto index = static_cast<std::size_t>(worker);
  WorkerBuffers& buffers = *workers_[index];
  const Model& model = *jobs.front()->model;
  vision::Detector& detector = *model.detectors[index];
  decode_all(buffers, detector, jobs);
  const bool has_one_input = !detector.description().follows_picture;
  for (std::span<DecodedPicture> rest(buffers.decoded); !rest.empty();) {
    // Where the input follows the picture, one run is for pictures of one size: what is found in
    // one does not depend on those beside it.
    const vision::Size size = rest.front().image->full_size();
    const auto others =
        std::partition(rest.begin(), rest.end(), [&](const DecodedPicture& picture) {
          return has_one_input || picture.image->full_size() == size;
        });
    const auto alike = static_cast<std::size_t>(others - rest.begin());
    const std::size_t count = std::min(alike, model.parallelism.batch);
    detect(buffers, detector, rest.first(count));
    rest = rest.subspan(count);
  }
  for (Job* job : jobs) {
    if (!job->inspection.error) continue;
    if (job->settings->verdict) job->inspection.verdict = unreadable(*job->settings->verdict);
    // The picture of a triggered part is what there is of it.
    job->is_incomplete =
        job->frame.is_recent(clock_.now()) && !(job->part && job->part->is_triggered());
    if (!job->is_incomplete) tell(*job);
    job->inspection.detections.clear();
    job->inspection.masks.clear();
    job->inspection.rotated.clear();
    job->inspection.keypoints.clear();
  }
}

// The line has one verdict of a part: where it was told the fail-safe one before, that is it.
void Inspector::tell(Job& job) const {
  if (!job.part) return;
  Inspection& inspection = job.inspection;
  inspection.part.emplace();
  if (job.part->is_triggered()) {
    inspection.part->id = job.part->id();
    inspection.part->triggered_at = job.part->triggered_at();
  }
  if (!inspection.verdict || !options_.tell) return;
  Verdict told = options_.tell(job.part, *inspection.verdict, job.frame.name);
  if (job.part->is_fail_safe()) inspection.part->too_late = std::move(inspection.verdict);
  inspection.verdict = std::move(told);
}

void Inspector::decode_all(WorkerBuffers& buffers, const vision::Detector& detector,
                           std::span<Job* const> jobs) {
  buffers.decoded.clear();
  while (buffers.decoders.size() < jobs.size())
    buffers.decoders.push_back(std::make_unique<PictureDecoder>());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    Job& job = *jobs[i];
    Inspection& inspection = job.inspection;
    inspection.clear();
    job.upload.reset();
    job.is_incomplete = false;
    job.is_shown = options_.is_shown && options_.is_shown();
    inspection.timestamp = clock_.now();
    inspection.image_name = job.frame.name;
    inspection.error = problem_of([&] {
      read_picture(job.frame);
      if (job.frame.problem) throw *job.frame.problem;
      const auto start = SteadyClock::now();
      const vision::Image& image = decode(*buffers.decoders[i], detector, job);
      inspection.decode = SteadyClock::now() - start;
      inspection.size = image.full_size();
      if (!job.frame.has_pixels()) inspection.warning = buffers.decoders[i]->file.warning();
      buffers.decoded.push_back({&job, &image});
    });
  }
}

const vision::Image& Inspector::decode(PictureDecoder& decoder, const vision::Detector& detector,
                                       const Job& job) const {
  const Frame& frame = job.frame;
  if (frame.has_pixels()) return frame.image;
  if (is_raw_name(frame.name)) {
    if (!options_.raw_format) {
      throw Error(ErrorCode::invalid_argument,
                  frame.name +
                      " is a raw frame; say its format with --raw-format, as in "
                      "1280x1024:mono8");
    }
    vision::decode_raw(frame.bytes, frame.name, *options_.raw_format, decoder.raw);
    return decoder.raw;
  }
  vision::DecodeHint hint;
  if (options_.annotations.empty() && !job.is_shown) {
    hint.colours = vision::DecodeHint::Colours::may_be_planes;
    if (options_.decoding == InspectorOptions::Decoding::scaled) {
      hint.input = detector.description().input;
    }
  }
  return decoder.file.decode(frame.bytes, frame.name, hint);
}

// One run of the network.
void Inspector::detect(WorkerBuffers& buffers, vision::Detector& detector,
                       std::span<const DecodedPicture> decoded) const {
  buffers.images.clear();
  for (const DecodedPicture& picture : decoded) buffers.images.push_back(picture.image);
  std::span<const vision::Detector::Result> found;
  const auto problem = problem_of([&] {
    found = detector.detect(buffers.images,
                            detection_options(*decoded.front().job->settings, options_.uploads));
  });
  if (problem && decoded.size() > 1) {  // which of them is at fault is not known: each alone
    for (std::size_t i = 0; i < decoded.size(); ++i)
      detect(buffers, detector, decoded.subspan(i, 1));
    return;
  }
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    Job& job = *decoded[i].job;
    job.inspection.error = problem;
    if (problem) continue;
    job.inspection.error =
        problem_of([&] { finish(buffers, detector, decoded[i], found[i], decoded.size()); });
  }
}

void Inspector::finish(WorkerBuffers& buffers, const vision::Detector& detector,
                       const DecodedPicture& picture, const vision::Detector::Result& found,
                       std::size_t batch) const {
  Job& job = *picture.job;
  Inspection& inspection = job.inspection;
  const auto share = static_cast<double>(batch);
  inspection.batch = batch;
  inspection.preprocess = found.preprocess / share;
  inspection.inference = found.inference / share;
  inspection.postprocess = found.postprocess / share;
  note_findings(found, detector, *job.settings, inspection);
  if (job.settings->verdict) {
    collect_findings(inspection, buffers.findings);
    inspection.verdict = decide(*job.settings->verdict, buffers.findings, inspection.size);
  }
  tell(job);
  if (job.is_shown) options_.show(*picture.image, job);
  if (!options_.annotations.empty()) {
    try {
      write_annotated(options_.annotations, *picture.image, inspection,
                      {found.anomaly ? &*found.anomaly : nullptr, job.settings->anomaly.heat});
    } catch (const Error& error) {
      base::log_error("an annotated picture cannot be written", {{"error", error.message()}});
    }
  }
  if (options_.uploads == Uploads::off) return;
  const double draw = std::uniform_real_distribution<double>(0, 1)(buffers.random);
  job.upload = why_upload(inspection.best_score, job.settings->uploads, draw);
  if (job.upload && job.frame.has_pixels()) {
    job.frame.bytes = vision::encode_jpeg(*picture.image, 95);
  }
}

}  // namespace andon::inspect
