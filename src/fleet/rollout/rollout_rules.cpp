// SPDX-License-Identifier: Apache-2.0
#include "fleet/rollout/rollout_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace andon::fleet {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

// So many things take `count * a minute / rate`, rounded up: the rate is never exceeded.
std::chrono::milliseconds spread(std::int64_t rate, std::size_t count) {
  const auto things = static_cast<std::int64_t>(count);
  return std::chrono::milliseconds((things * kMinuteMs + rate - 1) / rate);
}

base::Timestamp earliest(const RolloutPace& pace, base::Timestamp now) {
  if (pace.next == base::Timestamp{}) return now;  // nobody was told yet
  return std::max(pace.next, now - kRolloutCatchUp);
}

std::int64_t failures(JobFailure failure, const JobCounts& counts) {
  switch (failure) {
    case JobFailure::failed:
      return counts.failed;
    case JobFailure::rejected:
      return counts.rejected;
    case JobFailure::timed_out:
      return counts.timed_out;
    case JobFailure::all:
      break;
  }
  return counts.failed + counts.rejected + counts.timed_out;
}

double percentage(const AbortCriterion& criterion, const JobCounts& counts) {
  return 100.0 * static_cast<double>(failures(criterion.failure, counts)) /
         static_cast<double>(counts.executed());
}

std::string_view name_of(JobFailure failure) {
  switch (failure) {
    case JobFailure::failed:
      return "FAILED";
    case JobFailure::rejected:
      return "REJECTED";
    case JobFailure::timed_out:
      return "TIMED_OUT";
    case JobFailure::all:
      break;
  }
  return "FAILED, REJECTED or TIMED_OUT";
}

std::string in_percent(double value) {
  char text[32];
  const int length = std::snprintf(text, sizeof text, "%.4g %%", value);
  return {text, static_cast<std::size_t>(length)};
}

bool covers(JobFailure failure, JobStatus status) {
  switch (status) {
    case JobStatus::failed:
      return failure == JobFailure::failed || failure == JobFailure::all;
    case JobStatus::timed_out:
      return failure == JobFailure::timed_out || failure == JobFailure::all;
    default:
      return false;
  }
}

}  // namespace

void JobCounts::add(JobStatus status, std::int64_t count) {
  switch (status) {
    case JobStatus::queued:
      queued += count;
      break;
    case JobStatus::in_progress:
      in_progress += count;
      break;
    case JobStatus::succeeded:
      succeeded += count;
      break;
    case JobStatus::failed:
      failed += count;
      break;
    case JobStatus::rejected:
      rejected += count;
      break;
    case JobStatus::timed_out:
      timed_out += count;
      break;
    case JobStatus::canceled:
      canceled += count;
      break;
  }
}

std::int64_t JobCounts::notified() const {
  return pending() + executed() + canceled;
}

std::optional<std::int64_t> rate_now(const RolloutRate& rate, const JobCounts& counts) {
  if (!rate.exponential) return rate.maximum_per_minute;
  const ExponentialRate& growth = *rate.exponential;
  const std::int64_t rises = growth.notified_things
                                 ? counts.notified() / *growth.notified_things
                                 : counts.succeeded / growth.succeeded_things.value_or(1);
  const auto most = static_cast<double>(rate.maximum_per_minute.value_or(kMaxJobRate));
  const double grown = static_cast<double>(growth.base_per_minute) *
                       std::pow(growth.increment_factor, static_cast<double>(rises));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(grown, most)));
}

std::size_t may_start(const RolloutRate& rate, const JobCounts& counts, const RolloutPace& pace,
                      base::Timestamp now, std::size_t most) {
  const auto things_a_minute = rate_now(rate, counts);
  if (!things_a_minute) return most;
  const base::Timestamp next = earliest(pace, now);
  if (next > now) return 0;
  // The first at `next`, each further one an interval later.
  const std::int64_t due = (now - next).count() * *things_a_minute / kMinuteMs + 1;
  return std::min(most, static_cast<std::size_t>(due));
}

RolloutPace after_starting(const RolloutRate& rate, const JobCounts& counts,
                           const RolloutPace& pace, base::Timestamp now, std::size_t started) {
  const auto things_a_minute = rate_now(rate, counts);
  if (!things_a_minute || started == 0) return pace;
  return {earliest(pace, now) + spread(*things_a_minute, started)};
}

std::optional<AbortCriterion> find_abort(const JobConfiguration& configuration,
                                         const JobCounts& counts) {
  if (counts.executed() == 0) return std::nullopt;
  for (const AbortCriterion& criterion : configuration.abort) {
    if (counts.executed() < criterion.min_executed_things) continue;
    if (percentage(criterion, counts) >= criterion.threshold_percentage) return criterion;
  }
  return std::nullopt;
}

std::string describe_abort(const AbortCriterion& criterion, const JobCounts& counts) {
  return std::to_string(failures(criterion.failure, counts)) + " of " +
         std::to_string(counts.executed()) + " devices ended " +
         std::string(name_of(criterion.failure)) + " (" +
         in_percent(percentage(criterion, counts)) + "), abortConfig gives up at " +
         in_percent(criterion.threshold_percentage);
}

std::optional<base::Timestamp> in_progress_deadline(const JobConfiguration& configuration,
                                                    base::Timestamp started) {
  if (!configuration.in_progress_timeout) return std::nullopt;
  return started + *configuration.in_progress_timeout;
}

bool may_retry(const JobConfiguration& configuration, JobStatus status, std::int64_t retried) {
  return std::any_of(configuration.retries.begin(), configuration.retries.end(),
                     [&](const RetryCriterion& criterion) {
                       return covers(criterion.failure, status) && retried < criterion.retries;
                     });
}

}  // namespace andon::fleet
