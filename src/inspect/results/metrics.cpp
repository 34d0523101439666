// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/metrics.hpp"

#include <fmt/format.h>

#include "base/metrics/metrics_page.hpp"
#include "base/text/escape.hpp"

namespace andon::inspect {
namespace {

// Seconds: a small network on a fast machine to a large one on a slow device.
constexpr std::array<double, 14> kBoundsSeconds{0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                0.05,   0.1,    0.25,  0.5,    1,     2.5,  10};
constexpr std::array<std::string_view, kStages> kStageNames{"decode", "preprocess", "inference",
                                                            "postprocess", "sink"};

}  // namespace

Metrics::Metrics() : stages_(kStages, base::Histogram(kBoundsSeconds)) {}

void Metrics::observe_locked(Stage stage, double seconds) {
  stages_[static_cast<std::size_t>(stage)].observe(seconds);
}

void Metrics::observe(Stage stage, std::chrono::duration<double> time) {
  const std::lock_guard lock(mutex_);
  observe_locked(stage, time.count());
}

void Metrics::count_frame(const Inspection& inspection) {
  const std::lock_guard lock(mutex_);
  ++totals_.frames;
  rate_.count(std::chrono::steady_clock::now());
  if (inspection.verdict) ++verdicts_[inspection.verdict->judgement];
  if (inspection.error) {
    ++totals_.errors;
    return;
  }
  const auto seconds = [](vision::Milliseconds time) { return time.count() / 1000; };
  observe_locked(Stage::decode, seconds(inspection.decode));
  observe_locked(Stage::preprocess, seconds(inspection.preprocess));
  observe_locked(Stage::inference, seconds(inspection.inference));
  observe_locked(Stage::postprocess, seconds(inspection.postprocess));
  totals_.detections += inspection.detections.size();
  for (const LabelledDetection& detection : inspection.detections) {
    const auto known = detections_.find(detection.label);
    if (known != detections_.end()) {
      ++known->second;
    } else {
      detections_.emplace(detection.label, 1);
    }
  }
}

void Metrics::count_upload(std::string_view reason, bool is_kept) {
  const std::lock_guard lock(mutex_);
  ++uploads_[{std::string(reason), is_kept ? "kept" : "dropped"}];
}

void Metrics::count_source(const SourceCounts& counts) {
  const std::lock_guard lock(mutex_);
  totals_.source.dropped += counts.dropped;
  totals_.source.incomplete += counts.incomplete;
  totals_.source.reconnects += counts.reconnects;
}

void Metrics::set_model(const ComponentId& component, const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  if (!model_sha256_.empty()) ++totals_.model_changes;
  model_ = component;
  model_sha256_ = sha256;
}

void Metrics::count_model_failure() {
  const std::lock_guard lock(mutex_);
  ++model_failures_;
}

Metrics::Totals Metrics::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

double Metrics::frames_per_second() const {
  const std::lock_guard lock(mutex_);
  return rate_.per_second(std::chrono::steady_clock::now());
}

std::map<Judgement, std::uint64_t> Metrics::verdicts() const {
  const std::lock_guard lock(mutex_);
  return verdicts_;
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  base::MetricsPage page;
  page.start("andon_inspect_stage_seconds", "histogram", "Time of each stage of a frame.");
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    page.histogram("andon_inspect_stage_seconds", fmt::format("stage=\"{}\"", kStageNames[stage]),
                   stages_[stage]);
  }
  page.start("andon_inspect_frames_total", "counter", "Frames that got their result.");
  page.sample("andon_inspect_frames_total", "outcome=\"ok\"", totals_.frames - totals_.errors);
  page.sample("andon_inspect_frames_total", "outcome=\"error\"", totals_.errors);
  page.single("andon_inspect_frames_dropped_total", "counter",
              "Frames of a live source for which there was no time.", totals_.source.dropped);
  page.single("andon_inspect_frames_incomplete_total", "counter",
              "Frames of a camera of which parts were lost on the way.", totals_.source.incomplete);
  page.single("andon_inspect_source_reconnects_total", "counter",
              "How often the source was opened again.", totals_.source.reconnects);
  page.start("andon_inspect_detections_total", "counter", "Detections by class.");
  for (const auto& [label, count] : detections_) {
    page.sample("andon_inspect_detections_total",
                fmt::format("class=\"{}\"", base::escape_label(label)), count);
  }
  page.start("andon_inspect_verdicts_total", "counter", "Verdicts: OK, DOUBT, NG.");
  for (const auto& [judgement, count] : verdicts_) {
    page.sample("andon_inspect_verdicts_total", fmt::format("verdict=\"{}\"", to_string(judgement)),
                count);
  }
  page.start("andon_inspect_uploads_total", "counter",
             "Pictures worth labelling, by reason: kept for upload, or dropped over the limits.");
  for (const auto& [key, count] : uploads_) {
    page.sample("andon_inspect_uploads_total",
                fmt::format("reason=\"{}\",outcome=\"{}\"", key.first, key.second), count);
  }
  page.single("andon_inspect_model_changes_total", "counter",
              "How often a newer model took over while the program ran.", totals_.model_changes);
  page.single("andon_inspect_model_failures_total", "counter",
              "How often a newer model could not be used.", model_failures_);
  page.start("andon_inspect_model_info", "gauge", "The model in use.");
  page.sample(
      "andon_inspect_model_info",
      fmt::format("component=\"{}\",version=\"{}\",sha256=\"{}\"", base::escape_label(model_.name),
                  base::escape_label(model_.version), model_sha256_),
      1);
  return page.take();
}

}  // namespace andon::inspect
