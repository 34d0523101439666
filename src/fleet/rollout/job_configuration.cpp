// SPDX-License-Identifier: Apache-2.0
#include "fleet/rollout/job_configuration.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace andon::fleet {
namespace {

using base::JsonReader;

constexpr std::array<std::pair<std::string_view, JobFailure>, 4> kFailures{
    {{"FAILED", JobFailure::failed},
     {"REJECTED", JobFailure::rejected},
     {"TIMED_OUT", JobFailure::timed_out},
     {"ALL", JobFailure::all}}};
constexpr std::array<std::pair<std::string_view, JobFailure>, 3> kRetriedFailures{
    {{"FAILED", JobFailure::failed},
     {"TIMED_OUT", JobFailure::timed_out},
     {"ALL", JobFailure::all}}};
constexpr std::array<std::pair<std::string_view, int>, 1> kActions{{{"CANCEL", 0}}};
constexpr std::int64_t kMostThings = 10'000'000;

double number_between(const JsonReader& reader, std::string_view key, double least, double most,
                      std::string_view range) {
  const auto given = reader.optional_number(key);
  if (!given) {
    if (!reader.has(key)) reader.problem(key, "is missing");
    return least;
  }
  if (*given >= least && *given <= most) return *given;
  reader.problem(key, "must be " + std::string(range));
  return least;
}

std::int64_t integer_between(const JsonReader& reader, std::string_view key, std::int64_t least,
                             std::int64_t most) {
  if (!reader.has(key)) reader.problem(key, "is missing");
  return reader.optional_integer(key, least, most).value_or(least);
}

ExponentialRate read_exponential(const JsonReader& reader) {
  ExponentialRate rate;
  rate.base_per_minute = integer_between(reader, "baseRatePerMinute", 1, kMaxJobRate);
  rate.increment_factor = number_between(reader, "incrementFactor", 1.1, 5, "from 1.1 to 5");
  const JsonReader criteria = reader.child("rateIncreaseCriteria");
  rate.notified_things = criteria.optional_integer("numberOfNotifiedThings", 1, kMostThings);
  rate.succeeded_things = criteria.optional_integer("numberOfSucceededThings", 1, kMostThings);
  if (rate.notified_things.has_value() == rate.succeeded_things.has_value()) {
    reader.problem("rateIncreaseCriteria",
                   "must have one of numberOfNotifiedThings and numberOfSucceededThings");
  }
  return rate;
}

void read_rate(const JsonReader& reader, RolloutRate& rate) {
  rate.maximum_per_minute = reader.optional_integer("maximumPerMinute", 1, kMaxJobRate);
  if (!reader.has("exponentialRate")) return;
  rate.exponential = read_exponential(reader.child("exponentialRate"));
  if (rate.maximum_per_minute && *rate.maximum_per_minute < rate.exponential->base_per_minute) {
    reader.problem("maximumPerMinute", "is less than exponentialRate.baseRatePerMinute");
  }
}

void read_abort(const JsonReader& reader, std::vector<AbortCriterion>& criteria) {
  for (const JsonReader& one : reader.children("criteriaList")) {
    if (criteria.size() == kMaxAbortCriteria) {
      reader.problem("criteriaList", "has more than 4 criteria");
      return;
    }
    AbortCriterion criterion;
    (void)one.string("failureType");
    criterion.failure = one.choice("failureType", kFailures).value_or(JobFailure::all);
    (void)one.string("action");
    (void)one.choice("action", kActions);
    criterion.threshold_percentage =
        number_between(one, "thresholdPercentage", 0.01, 100, "more than 0 and at most 100");
    criterion.min_executed_things =
        integer_between(one, "minNumberOfExecutedThings", 1, kMostThings);
    criteria.push_back(criterion);
  }
}

void read_retries(const JsonReader& reader, std::vector<RetryCriterion>& criteria) {
  for (const JsonReader& one : reader.children("criteriaList")) {
    if (criteria.size() == 2) {
      reader.problem("criteriaList", "has more than 2 criteria");
      return;
    }
    RetryCriterion criterion;
    (void)one.string("failureType");
    criterion.failure = one.choice("failureType", kRetriedFailures).value_or(JobFailure::all);
    criterion.retries = integer_between(one, "numberOfRetries", 0, kMaxJobRetries);
    criteria.push_back(criterion);
  }
}

}  // namespace

JobConfiguration read_job_configuration(const JsonReader& reader) {
  JobConfiguration configuration;
  read_rate(reader.child_or_empty("jobExecutionsRolloutConfig"), configuration.rate);
  read_abort(reader.child_or_empty("abortConfig"), configuration.abort);
  const auto minutes = reader.child_or_empty("timeoutConfig")
                           .optional_integer("inProgressTimeoutInMinutes", 1, kMaxJobMinutes);
  if (minutes) configuration.in_progress_timeout = std::chrono::minutes(*minutes);
  read_retries(reader.child_or_empty("jobExecutionsRetryConfig"), configuration.retries);
  return configuration;
}

}  // namespace andon::fleet
