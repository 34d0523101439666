// SPDX-License-Identifier: Apache-2.0
#include "inspect/service.hpp"

#include <malloc.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"

namespace andon::inspect {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};
constexpr milliseconds kIdleAfter{1'000};

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : ", ") + text;
  return result;
}

}  // namespace

Service::Service(ServiceParts parts)
    : parts_(std::move(parts)),
      settings_(std::make_shared<const Settings>(parts_.read_settings())),
      source_(parts_.open_source(*settings_)) {
  parts_.metrics.set_model(parts_.models.current()->component, parts_.models.current()->sha256);
  parts_.models.want(settings_->model);
}

void Service::follow_settings() {
  try {
    const auto changed = std::make_shared<const Settings>(parts_.read_settings());
    if (*changed == *settings_) return;
    if (changed->sources != settings_->sources) {
      std::unique_ptr<Source> opened = parts_.open_source(*changed);
      count_source();
      before_ = {};
      source_ = std::move(opened);
    }
    settings_ = changed;
    parts_.models.want(settings_->model);
    base::log_info("configuration changed", {{"source", joined(settings_->sources)},
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
  const auto outcome = parts_.models.step();
  if (!outcome) return;
  if (outcome->model) {
    has_unused_memory_ = true;
    has_older_model_ = true;
    older_model_ = before;
    parts_.adopt(*outcome->model);
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
  if (const auto tuning = parts_.tuner->take()) parts_.on_tuned(*tuning);
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
  job->frame.file.reset();
  spare_jobs_.push_back(std::move(job));
}

void Service::fill() {
  while (parts_.pipeline.has_room()) {
    std::unique_ptr<Job> job = spare_job();
    auto frame = source_->take(parts_.clock.now(), std::move(job->frame));
    if (!frame) return recycle(std::move(job));
    job->frame = std::move(*frame);
    if (job->frame.id) {
      if (is_in_flight(*job->frame.id)) {
        recycle(std::move(job));
        continue;
      }
      if (parts_.recorder.knows(*job->frame.id)) {
        ++counts_.known;
        recycle(std::move(job));
        continue;
      }
      in_flight_.push_back(*job->frame.id);
    }
    has_unused_memory_ = true;
    if (parts_.tuner != nullptr) parts_.tuner->interrupt();
    job->model = parts_.models.current();
    job->settings = settings_;
    parts_.pipeline.submit(std::move(job));
  }
}

void Service::drain() {
  while (std::unique_ptr<Job> job = parts_.pipeline.take()) {
    fill();  // the workers have something to do while this result is written
    record(*job);
    if (job->frame.id) std::erase(in_flight_, *job->frame.id);
    publish();
    recycle(std::move(job));
    if (is_stopping_) return;
  }
}

void Service::record(const Job& job) {
  insist("a result cannot be recorded", [&] {
    if (parts_.recorder.record(job) == Recorder::Outcome::recorded) {
      ++counts_.inspected;
      parts_.on_result();
    } else {
      source_->give_again(job.frame, parts_.clock.now() + Frame::kSettleTime);
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
  if (has_unused_memory_ && parts_.pipeline.is_empty()) at_most(kIdleAfter);
  return limit;
}

void Service::wait_for_work() {
  const int source_fd = parts_.pipeline.has_room() ? source_->fd() : -1;
  const int tuner_fd = parts_.tuner == nullptr ? -1 : parts_.tuner->fd();
  const Events::Woken woken = parts_.events.wait(
      {source_fd, parts_.pipeline.fd(), parts_.models.fd(), parts_.models.file_fd(), tuner_fd},
      wait_limit());
  if (woken == Events::Woken::nudged) follow_settings();
  if (woken == Events::Woken::stopped) is_stopping_ = true;
  if (woken == Events::Woken::timed_out && has_unused_memory_ && parts_.pipeline.is_empty()) {
    parts_.models.current()->detectors.front()->release_unused_memory();
    has_unused_memory_ = false;
    if (parts_.tuner != nullptr) parts_.tuner->go_on();
  }
}

void Service::count_source() {
  const Source::Counts counts = source_->counts();
  parts_.metrics.count_source(counts.dropped - before_.dropped,
                              counts.reconnects - before_.reconnects);
  before_ = counts;
}

bool Service::is_done() const {
  if (!parts_.pipeline.is_empty()) return false;
  return source_->is_finished() || (parts_.mode == Mode::once && source_->is_drained());
}

// What is in hand gets its result, if the sinks take it at once; else the next start sees to it.
void Service::finish() {
  counts_.was_stopped = true;
  parts_.pipeline.wait_until_done();
  try {
    while (const std::unique_ptr<Job> job = parts_.pipeline.take()) {
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
