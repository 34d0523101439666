// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/service.hpp"

#include <malloc.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/split.hpp"
#include "inspect/source/triggered_source.hpp"

namespace andon::inspect {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};
constexpr milliseconds kIdleAfter{1'000};

// An output may still tell its part in time.
bool is_open(const Job& job) {
  return job.part && job.part->verdict() && !job.part->is_settled(std::chrono::steady_clock::now());
}

void note_outcomes(Job& job) {
  if (!job.part || job.is_incomplete) return;
  job.message = with_outputs(std::move(job.message),
                             outcomes_json(*job.part, std::chrono::steady_clock::now()));
}

}  // namespace

Service::Service(ServiceParts parts)
    : parts_(parts), settings_(std::make_shared<const Settings>(parts_.owner.read_settings())) {
  parts_.owner.apply(*settings_);
  source_ = parts_.owner.open_source(*settings_);
  parts_.metrics.set_model(parts_.models.current()->component, parts_.models.current()->sha256);
  parts_.models.want(settings_->model);
}

// What a camera has given to parts is theirs, also where another source takes its place.
void Service::keep_pictured_parts() {
  if (!settings_->trigger || source_->kind() != SourceKind::live) return;
  while (auto frame = source_->take(parts_.clock.now(), {})) left_.push_back(*std::move(frame));
}

std::optional<Frame> Service::next_frame(Frame&& spare) {
  if (!left_.empty()) {
    Frame frame = std::move(left_.front());
    left_.pop_front();
    return frame;
  }
  // Parts that were triggered before there was no trigger any more.
  if (!settings_->trigger && parts_.triggered != nullptr) {
    if (auto part = parts_.triggered->take_expired(std::chrono::steady_clock::now())) {
      return frame_without_picture(std::move(part), std::move(spare));
    }
  }
  return source_->take(parts_.clock.now(), std::move(spare));
}

// All of them, or those before stay.
void Service::use_settings(const Settings& changed) {
  try {
    parts_.owner.apply(changed);
    if (changed.sources == settings_->sources && changed.is_recursive == settings_->is_recursive &&
        changed.trigger.has_value() == settings_->trigger.has_value()) {
      return;
    }
    std::unique_ptr<Source> opened = parts_.owner.open_source(changed);
    keep_pictured_parts();
    count_source();
    before_ = {};
    source_ = std::move(opened);
    incomplete_.clear();
  } catch (const base::Error&) {
    parts_.owner.apply(*settings_);
    throw;
  }
}

void Service::follow_settings() {
  try {
    const auto changed = std::make_shared<const Settings>(parts_.owner.read_settings());
    if (*changed == *settings_) return;
    use_settings(*changed);
    settings_ = changed;
    parts_.models.want(settings_->model);
    base::log_info("configuration changed", {{"source", base::join(settings_->sources, ", ")},
                                             {"topic", settings_->topic},
                                             {"confidence", settings_->confidence},
                                             {"doubt_low", settings_->uploads.low},
                                             {"doubt_high", settings_->uploads.high}});
  } catch (const base::Error& error) {
    base::log_error("the changed configuration is not used", {{"error", error.message()}});
  }
}

void Service::follow_model() {
  const std::weak_ptr<const Model> before = parts_.models.current();
  const std::string sha256_before = parts_.models.current()->sha256;
  const auto outcome = parts_.models.step(parts_.clock.now());
  if (!outcome) return;
  if (outcome->model) {
    has_unused_memory_ = true;
    idle_since_ = std::chrono::steady_clock::now();
    has_older_model_ = true;
    older_model_ = before;
    parts_.owner.adopt(*outcome->model);
    if (outcome->model->sha256 == sha256_before) return;  // the same, for other workers
    parts_.metrics.set_model(outcome->model->component, outcome->model->sha256);
    base::log_info("a newer model has taken over", {{"model", outcome->model->path.string()},
                                                    {"version", outcome->model->component.version},
                                                    {"sha256", outcome->model->sha256}});
  } else {
    parts_.metrics.count_model_failure();
    base::log_error("the newer model cannot be used; the one before stays",
                    {{"error", outcome->problem->message()}});
  }
}

void Service::follow_tuning() {
  if (parts_.tuner == nullptr) return;
  if (const auto tuning = parts_.tuner->take()) parts_.owner.on_tuned(*tuning);
}

// What the older model leaves goes back to the system with its last frame: kept blocks of two
// models at once would add up.
void Service::release_older_model() {
  if (!has_older_model_ || !older_model_.expired()) return;
  has_older_model_ = false;
  parts_.models.current()->detectors.front()->release_unused_memory();
  malloc_trim(0);
}

bool Service::is_in_flight(const PictureId& picture) const {
  return std::find(in_flight_.begin(), in_flight_.end(), picture) != in_flight_.end();
}

std::unique_ptr<Job> Service::spare_job() {
  if (spare_jobs_.empty()) return std::make_unique<Job>();
  std::unique_ptr<Job> job = std::move(spare_jobs_.back());
  spare_jobs_.pop_back();
  return job;
}

void Service::recycle(std::unique_ptr<Job> job) {
  job->model.reset();  // an older one is freed with its last frame
  job->part.reset();
  job->frame.part.reset();
  job->frame.pictured.reset();
  job->frame.file.reset();
  spare_jobs_.push_back(std::move(job));
}

void Service::fill() {
  while (parts_.pipeline.has_room()) {
    std::unique_ptr<Job> job = spare_job();
    auto frame = next_frame(std::move(job->frame));
    if (!frame) {
      was_drained_ = was_drained_ || source_->is_drained();
      return recycle(std::move(job));
    }
    job->frame = std::move(*frame);
    if (job->frame.id) {
      if (is_in_flight(*job->frame.id)) {
        leave(job->frame);
        recycle(std::move(job));
        continue;
      }
      if (parts_.recorder.knows(job->frame)) {
        // What a scan finds again later is no news.
        if (!was_drained_) ++counts_.known;
        leave(job->frame);
        recycle(std::move(job));
        continue;
      }
      in_flight_.push_back(*job->frame.id);
    }
    has_unused_memory_ = true;
    idle_since_ = std::chrono::steady_clock::now();
    if (parts_.tuner != nullptr) parts_.tuner->interrupt();
    job->model = parts_.models.current();
    job->settings = settings_;
    job->part = part_of(job->frame);
    parts_.pipeline.submit(std::move(job));
  }
}

// What the line calls this picture: the part that was triggered, or one that begins with it.
std::shared_ptr<Part> Service::part_of(Frame& frame) {
  if (parts_.outputs == nullptr) return nullptr;
  if (frame.part) return std::move(frame.part);
  if (frame.id) {
    if (const auto known = incomplete_.find(frame.id->path); known != incomplete_.end()) {
      return std::move(incomplete_.extract(known).mapped());
    }
  }
  if (!parts_.outputs->is_on()) return nullptr;
  return parts_.outputs->begin(frame.name, Part::Begin::pictured,
                               frame.pictured.value_or(std::chrono::steady_clock::now()));
}

// Not the picture of the part that took it.
void Service::leave(Frame& frame) const {
  if (frame.part && parts_.triggered != nullptr) parts_.triggered->give_back(std::move(frame.part));
}

void Service::drain() {
  while (std::unique_ptr<Job> job = parts_.pipeline.take()) {
    fill();  // the workers have something to do while this result is written
    awaiting_.push_back(std::move(job));
    record_told();
    if (is_stopping_) return;
  }
  record_told();
}

// In their order, each when it is known what its outputs did: at its last deadline at the latest.
void Service::record_told() {
  if (parts_.outputs != nullptr) parts_.outputs->take_events();
  while (!awaiting_.empty() && !is_stopping_) {
    if (is_open(*awaiting_.front()) && awaiting_.size() <= kMostAwaiting) return;
    std::unique_ptr<Job> job = std::move(awaiting_.front());
    awaiting_.pop_front();
    note_outcomes(*job);
    record(*job);
    if (job->frame.id) std::erase(in_flight_, *job->frame.id);
    idle_since_ = std::chrono::steady_clock::now();
    publish();
    recycle(std::move(job));
  }
}

void Service::record(const Job& job) {
  insist("a result cannot be recorded", [&] {
    if (parts_.recorder.record(job) == Recorder::Outcome::recorded) {
      ++counts_.inspected;
      parts_.owner.on_result(job);
    } else {
      source_->give_again(job.frame, parts_.clock.now() + Frame::kSettleTime);
      if (job.part && job.frame.id) incomplete_[job.frame.id->path] = job.part;
    }
  });
}

void Service::publish() {
  insist("a result cannot be published", [&] { parts_.recorder.publish(); });
}

bool Service::insist(std::string_view what, const std::function<void()>& step) {
  milliseconds pause = kFirstPause;
  milliseconds waited{0};
  while (true) {
    try {
      step();
      return true;
    } catch (const base::Error& error) {
      // Somebody waits for the end: better to say what is wrong.
      if (parts_.mode == Mode::once && waited >= kPatience) throw;
      base::log_warning(std::string(what) + "; trying again",
                        {{"error", error.message()}, {"pause_ms", pause.count()}});
    }
    if (!wait(pause)) return false;
    waited += pause;
    pause = std::min(2 * pause, kLongestPause);
  }
}

bool Service::wait(milliseconds time) {
  const Events::Woken woken = parts_.events.wait({}, time);
  if (woken == Events::Woken::nudged) follow_settings();
  if (woken == Events::Woken::stopped) is_stopping_ = true;
  return !is_stopping_;
}

std::optional<milliseconds> Service::wait_limit() const {
  std::optional<milliseconds> limit;
  const auto at_most = [&](milliseconds time) {
    if (!limit || time < *limit) limit = std::max(time, milliseconds(0));
  };
  const base::Timestamp now = parts_.clock.now();
  if (parts_.pipeline.has_room()) {
    if (const auto at = source_->look_again_at(now)) at_most(*at - now);
  }
  at_most(parts_.models.look_again_at() - now);
  if (parts_.pipeline.has_room() && !left_.empty()) at_most(milliseconds(0));
  if (!settings_->trigger && parts_.triggered != nullptr) {
    if (const auto at = parts_.triggered->expires_at()) {
      at_most(std::chrono::ceil<milliseconds>(*at - std::chrono::steady_clock::now()));
    }
  }
  if (!awaiting_.empty() && awaiting_.front()->part) {
    if (const auto by = awaiting_.front()->part->settled_by()) {
      constexpr milliseconds kBeyond{1};
      at_most(std::chrono::ceil<milliseconds>(*by - std::chrono::steady_clock::now()) + kBeyond);
    }
  }
  if (has_unused_memory_ && parts_.pipeline.is_empty()) at_most(kIdleAfter);
  return limit;
}

// When there was nothing to do for a while.
void Service::rest() {
  if (!has_unused_memory_ || !parts_.pipeline.is_empty()) return;
  if (std::chrono::steady_clock::now() - idle_since_ < kIdleAfter) return;
  parts_.models.current()->detectors.front()->release_unused_memory();
  has_unused_memory_ = false;
  if (parts_.tuner != nullptr) parts_.tuner->go_on();
}

void Service::wait_for_work() {
  const int source_fd = parts_.pipeline.has_room() ? source_->fd() : -1;
  const int tuner_fd = parts_.tuner == nullptr ? -1 : parts_.tuner->fd();
  const Events::Woken woken = parts_.events.wait(
      {source_fd, parts_.pipeline.fd(), parts_.models.fd(), parts_.models.file_fd(), tuner_fd,
       parts_.outputs == nullptr ? -1 : parts_.outputs->fd()},
      wait_limit());
  if (woken == Events::Woken::nudged) follow_settings();
  if (woken == Events::Woken::stopped) is_stopping_ = true;
  if (woken == Events::Woken::timed_out) rest();
}

void Service::count_source() {
  const Source::Counts counts = source_->counts();
  parts_.metrics.count_source({.dropped = counts.dropped - before_.dropped,
                               .incomplete = counts.incomplete - before_.incomplete,
                               .reconnects = counts.reconnects - before_.reconnects});
  before_ = counts;
}

bool Service::is_done() const {
  if (!parts_.pipeline.is_empty() || !awaiting_.empty() || !left_.empty()) return false;
  return source_->is_finished() || (parts_.mode == Mode::once && source_->is_drained());
}

// Everything in hand is looked at, parts that wait for a picture included, and the line is told.
void Service::end_parts() {
  parts_.owner.stop_triggers();
  do {
    parts_.pipeline.wait_until_done();
    while (auto job = parts_.pipeline.take()) awaiting_.push_back(std::move(job));
    try {
      const bool has_triggered = parts_.triggered != nullptr && !parts_.triggered->is_empty();
      if (settings_->trigger || has_triggered || !left_.empty()) fill();
    } catch (const base::Error& error) {
      base::log_warning("the source has ended", {{"error", error.message()}});
    }
  } while (!parts_.pipeline.is_empty());
  if (parts_.outputs != nullptr) parts_.outputs->stop();
}

// What is in hand gets its result, if the sinks take it at once; else the next start sees to it.
void Service::finish() {
  counts_.was_stopped = true;
  end_parts();
  try {
    for (const std::unique_ptr<Job>& job : awaiting_) {
      note_outcomes(*job);
      if (parts_.recorder.record(*job) == Recorder::Outcome::recorded) ++counts_.inspected;
      parts_.recorder.publish();
    }
  } catch (const base::Error& error) {
    base::log_warning("results in hand are left to the next start", {{"error", error.message()}});
  }
  count_source();
}

Service::Counts Service::run() {
  publish();  // what was left by a run that ended in between
  while (wait(milliseconds(0))) {
    follow_tuning();
    follow_model();
    fill();
    drain();
    release_older_model();
    count_source();
    if (is_stopping_ || is_done()) break;
    wait_for_work();
  }
  if (is_stopping_) finish();
  return counts_;
}

}  // namespace andon::inspect
