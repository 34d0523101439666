// SPDX-License-Identifier: Apache-2.0
#include "inspect/service.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"

namespace andon::inspect {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};
constexpr milliseconds kMissingDirectoryPause{1'000};
constexpr milliseconds kIdleAfter{1'000};

}  // namespace

Service::Service(Events& events, Inspector& inspector, const base::Clock& clock,
                 std::function<Settings()> read_settings, Mode mode)
    : events_(events),
      inspector_(inspector),
      clock_(clock),
      read_settings_(std::move(read_settings)),
      mode_(mode),
      settings_(read_settings_()),
      source_(settings_.image_directory) {
  inspector_.set_settings(settings_);
}

void Service::follow_settings() {
  try {
    const Settings changed = read_settings_();
    if (changed == settings_) return;
    if (changed.image_directory != settings_.image_directory) {
      source_.emplace(changed.image_directory);
      waiting_.clear();
    }
    settings_ = changed;
    inspector_.set_settings(settings_);
    base::log_info("configuration changed", {{"images", settings_.image_directory.string()},
                                             {"topic", settings_.topic},
                                             {"confidence", settings_.confidence},
                                             {"doubt_low", settings_.doubt_low},
                                             {"doubt_high", settings_.doubt_high}});
  } catch (const base::Error& error) {
    base::log_error("the changed configuration is not used", {{"error", error.message()}});
  }
}

void Service::take_pictures() {
  for (base::fs::path& path : source_->take()) {
    waiting_.push_back({std::move(path), base::Timestamp{}});
  }
}

std::optional<base::fs::path> Service::next() {
  const base::Timestamp now = clock_.now();
  const auto due = std::find_if(waiting_.begin(), waiting_.end(),
                                [&](const Waiting& it) { return it.not_before <= now; });
  if (due == waiting_.end()) return std::nullopt;
  base::fs::path path = std::move(due->path);
  waiting_.erase(due);
  return path;
}

void Service::inspect(const base::fs::path& path) {
  has_unused_memory_ = true;
  milliseconds pause = kFirstPause;
  while (true) {
    try {
      const Inspector::Outcome outcome = inspector_.inspect(path);
      if (outcome == Inspector::Outcome::recorded) ++counts_.inspected;
      if (outcome == Inspector::Outcome::known) ++counts_.known;
      if (outcome == Inspector::Outcome::not_complete) {
        waiting_.push_back({path, clock_.now() + Inspector::kSettleTime});
      }
      return;
    } catch (const base::Error& error) {
      base::log_error("a result cannot be recorded; trying again",
                      {{"image", path.string()}, {"error", error.message()}});
    }
    if (!wait(pause)) return;
    pause = std::min(2 * pause, kLongestPause);
  }
}

bool Service::wait(milliseconds time) {
  const Events::Woken woken = events_.wait(-1, time);
  if (woken == Events::Woken::nudged) follow_settings();
  return woken != Events::Woken::stopped;
}

void Service::publish() {
  milliseconds pause = kFirstPause;
  while (true) {
    try {
      inspector_.publish();
      return;
    } catch (const base::Error& error) {
      base::log_warning("a result cannot be published; trying again",
                        {{"error", error.message()}, {"pause_ms", pause.count()}});
    }
    if (!wait(pause)) return;
    pause = std::min(2 * pause, kLongestPause);
  }
}

std::optional<milliseconds> Service::wait_limit() const {
  std::optional<milliseconds> limit;
  const auto at_most = [&](milliseconds time) {
    if (!limit || time < *limit) limit = std::max(time, milliseconds(0));
  };
  for (const Waiting& waiting : waiting_) at_most(waiting.not_before - clock_.now());
  if (source_->fd() < 0) at_most(kMissingDirectoryPause);
  if (has_unused_memory_) at_most(kIdleAfter);
  return limit;
}

void Service::wait_for_work() {
  const Events::Woken woken = events_.wait(source_->fd(), wait_limit());
  if (woken == Events::Woken::nudged) follow_settings();
  if (woken == Events::Woken::timed_out && has_unused_memory_) {
    inspector_.rest();
    has_unused_memory_ = false;
  }
}

Service::Counts Service::run() {
  publish();  // what was left by a run that ended in between
  while (wait(milliseconds(0))) {
    take_pictures();
    if (const auto path = next()) {
      inspect(*path);
      publish();
    } else if (mode_ == Mode::once && waiting_.empty()) {
      break;
    } else {
      wait_for_work();
    }
  }
  return counts_;
}

}  // namespace andon::inspect
