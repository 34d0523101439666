// SPDX-License-Identifier: Apache-2.0
#include "fleet/rollout/rollout_rules.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;
using std::chrono::minutes;

const base::Timestamp kStart = base::from_epoch_millis(1'800'000'000'000);

JobConfiguration configured(std::string_view text) {
  const json::value value = base::parse_json(text, "configuration");
  return read_job_configuration(base::JsonReader(value, ""));
}

// Asks every second; answers how many were told within each minute.
template <std::size_t minutes_count>
std::array<std::size_t, minutes_count> run(const JobConfiguration& configuration) {
  std::array<std::size_t, minutes_count> told{};
  JobCounts counts;
  RolloutPace pace;
  for (std::size_t second = 0; second < minutes_count * 60; ++second) {
    const base::Timestamp now = kStart + std::chrono::seconds(second);
    const std::size_t count = may_start(configuration.rate, counts, pace, now, 1000);
    pace = after_starting(configuration.rate, counts, pace, now, count);
    counts.queued += static_cast<std::int64_t>(count);
    told[second / 60] += count;
  }
  return told;
}

TEST(RolloutRules, WithoutARateEverybodyIsToldAtOnce) {
  EXPECT_EQ(may_start(configured("{}").rate, {}, {}, kStart, 200), 200U);
}

TEST(RolloutRules, NoMoreThanTheRateAreToldInAnyMinute) {
  const auto told = run<3>(configured(R"({"jobExecutionsRolloutConfig":{"maximumPerMinute":50}})"));
  EXPECT_EQ(told[0], 50U);
  EXPECT_EQ(told[1], 50U);
  EXPECT_EQ(told[2], 50U);
}

TEST(RolloutRules, ARateOfOneTellsOneAMinute) {
  EXPECT_EQ(run<3>(configured(R"({"jobExecutionsRolloutConfig":{"maximumPerMinute":1}})")),
            (std::array<std::size_t, 3>{1, 1, 1}));
}

TEST(RolloutRules, TheRateGrowsWithTheThingsThatWereToldAndStopsAtItsMaximum) {
  const JobConfiguration configuration = configured(R"({"jobExecutionsRolloutConfig":{
      "maximumPerMinute":300,"exponentialRate":{"baseRatePerMinute":50,"incrementFactor":2,
      "rateIncreaseCriteria":{"numberOfNotifiedThings":100}}}})");
  EXPECT_EQ(rate_now(configuration.rate, {}), 50);
  EXPECT_EQ(rate_now(configuration.rate, {.queued = 99}), 50);
  EXPECT_EQ(rate_now(configuration.rate, {.queued = 90, .succeeded = 10}), 100);
  EXPECT_EQ(rate_now(configuration.rate, {.queued = 250}), 200);
  EXPECT_EQ(rate_now(configuration.rate, {.queued = 9'000'000}), 300);
}

TEST(RolloutRules, ARateThatGrowsWithSuccessStaysWhereDevicesDoNotAnswer) {
  const JobConfiguration configuration = configured(R"({"jobExecutionsRolloutConfig":{
      "exponentialRate":{"baseRatePerMinute":5,"incrementFactor":1.5,
      "rateIncreaseCriteria":{"numberOfSucceededThings":2}}}})");
  EXPECT_EQ(rate_now(configuration.rate, {.queued = 100}), 5);
  EXPECT_EQ(rate_now(configuration.rate, {.succeeded = 4}), 11);
  EXPECT_EQ(rate_now(configuration.rate, {.succeeded = 1'000'000}), kMaxJobRate);
}

TEST(RolloutRules, AfterAStandstillNobodyIsFlooded) {
  const JobConfiguration configuration =
      configured(R"({"jobExecutionsRolloutConfig":{"maximumPerMinute":60}})");
  const RolloutPace pace = after_starting(configuration.rate, {}, {}, kStart, 1);
  const base::Timestamp later = kStart + std::chrono::hours(1);
  EXPECT_EQ(may_start(configuration.rate, {}, pace, later, 1000), 3U);
}

TEST(RolloutRules, BeforeTheNextIsDueNobodyIsTold) {
  const JobConfiguration configuration =
      configured(R"({"jobExecutionsRolloutConfig":{"maximumPerMinute":7}})");
  RolloutPace pace{kStart};
  pace = after_starting(configuration.rate, {}, pace, kStart, 1);
  EXPECT_EQ(pace.next, kStart + milliseconds(8572));
  EXPECT_EQ(may_start(configuration.rate, {}, pace, kStart + milliseconds(8571), 10), 0U);
  EXPECT_EQ(may_start(configuration.rate, {}, pace, kStart + milliseconds(8572), 10), 1U);
}

TEST(RolloutRules, AJobIsGivenUpAtTheThresholdAndNotBeforeEnoughHaveEnded) {
  const JobConfiguration configuration = configured(R"({"abortConfig":{"criteriaList":[
      {"failureType":"FAILED","action":"CANCEL","thresholdPercentage":50,
       "minNumberOfExecutedThings":3}]}})");
  EXPECT_FALSE(find_abort(configuration, {}));
  EXPECT_FALSE(find_abort(configuration, {.queued = 90, .failed = 2}));
  EXPECT_FALSE(find_abort(configuration, {.succeeded = 2, .failed = 1}));
  EXPECT_FALSE(find_abort(configuration, {.rejected = 9, .timed_out = 9}));
  const JobCounts counts{.succeeded = 1, .failed = 2};
  const auto criterion = find_abort(configuration, counts);
  ASSERT_TRUE(criterion);
  EXPECT_EQ(describe_abort(*criterion, counts),
            "2 of 3 devices ended FAILED (66.67 %), abortConfig gives up at 50 %");
}

TEST(RolloutRules, AllCountsEachKindOfFailure) {
  const JobConfiguration configuration = configured(R"({"abortConfig":{"criteriaList":[
      {"failureType":"ALL","action":"CANCEL","thresholdPercentage":30,
       "minNumberOfExecutedThings":1}]}})");
  EXPECT_TRUE(
      find_abort(configuration, {.succeeded = 7, .failed = 1, .rejected = 1, .timed_out = 1}));
  EXPECT_FALSE(find_abort(configuration, {.succeeded = 8, .failed = 1, .rejected = 1}));
}

TEST(RolloutRules, ADeviceIsTooLateAfterItsTimeout) {
  EXPECT_FALSE(in_progress_deadline(configured("{}"), kStart));
  EXPECT_EQ(in_progress_deadline(
                configured(R"({"timeoutConfig":{"inProgressTimeoutInMinutes":5}})"), kStart),
            kStart + minutes(5));
}

TEST(RolloutRules, OnlyTheNamedFailuresAreTriedAgainAndOnlySoOften) {
  const JobConfiguration configuration = configured(R"({"jobExecutionsRetryConfig":{
      "criteriaList":[{"failureType":"FAILED","numberOfRetries":2}]}})");
  EXPECT_TRUE(may_retry(configuration, JobStatus::failed, 0));
  EXPECT_TRUE(may_retry(configuration, JobStatus::failed, 1));
  EXPECT_FALSE(may_retry(configuration, JobStatus::failed, 2));
  EXPECT_FALSE(may_retry(configuration, JobStatus::timed_out, 0));
  EXPECT_FALSE(may_retry(configuration, JobStatus::rejected, 0));
}

TEST(RolloutRules, WhatIsWrongInAConfigurationIsNamed) {
  const auto message = [](std::string_view text) {
    try {
      (void)configured(text);
    } catch (const base::Error& error) {
      return std::string(error.message());
    }
    return std::string("accepted");
  };
  const std::array<std::pair<std::string_view, std::string_view>, 7> kCases{{
      {R"({"jobExecutionsRolloutConfig":{"maximumPerMinute":0}})", "maximumPerMinute"},
      {R"({"jobExecutionsRolloutConfig":{"exponentialRate":{"baseRatePerMinute":1,
          "incrementFactor":9,"rateIncreaseCriteria":{"numberOfNotifiedThings":1}}}})",
       "incrementFactor"},
      {R"({"jobExecutionsRolloutConfig":{"exponentialRate":{"baseRatePerMinute":1,
          "incrementFactor":2,"rateIncreaseCriteria":{}}}})",
       "rateIncreaseCriteria"},
      {R"({"abortConfig":{"criteriaList":[{"failureType":"SAD","action":"CANCEL",
          "thresholdPercentage":1,"minNumberOfExecutedThings":1}]}})",
       "abortConfig.criteriaList[0].failureType"},
      {R"({"abortConfig":{"criteriaList":[{"failureType":"ALL","action":"CANCEL",
          "thresholdPercentage":101,"minNumberOfExecutedThings":1}]}})",
       "thresholdPercentage"},
      {R"({"timeoutConfig":{"inProgressTimeoutInMinutes":20000}})", "inProgressTimeoutInMinutes"},
      {R"({"jobExecutionsRetryConfig":{"criteriaList":[{"failureType":"REJECTED",
          "numberOfRetries":1}]}})",
       "failureType"},
  }};
  for (const auto& [text, place] : kCases) {
    EXPECT_NE(message(text).find(place), std::string::npos) << text << "\n" << message(text);
  }
}

}  // namespace
}  // namespace andon::fleet
