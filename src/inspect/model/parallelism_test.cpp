// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/parallelism.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::inspect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Pinning = vision::TuningRequest::Pinning;
using Waiting = vision::SessionOptions::Waiting;

const Processor kFour{{0, 1, 2, 3}, 4};

TEST(Parallelism, IsUsuallyAWorkerACoreOrOneOnAll) {
  SpreadOptions options;
  EXPECT_EQ(usual_parallelism(options, kFour).workers, 4);
  EXPECT_EQ(usual_parallelism(options, kFour).threads, 1);
  EXPECT_EQ(usual_parallelism(options, {{0, 1, 2, 3}, 2}).workers, 2);  // a quota
  options.threads = 2;
  EXPECT_EQ(usual_parallelism(options, kFour).workers, 2);
  options.workers = 9;
  EXPECT_EQ(usual_parallelism(options, kFour).workers, 9);
  options = {};
  options.load = Load::latency;
  const Parallelism latency = usual_parallelism(options, kFour);
  EXPECT_EQ(latency.workers, 1);
  EXPECT_EQ(latency.threads, 4);
  EXPECT_EQ(latency.waiting, Waiting::spin);
}

TEST(Parallelism, TakesTheCoresThatAreNamed) {
  SpreadOptions options;
  options.affinity = "3,1";
  EXPECT_EQ(usual_parallelism(options, kFour).workers, 2);
  EXPECT_THAT(usual_parallelism(options, kFour).cores, ElementsAre(3, 1));
  EXPECT_EQ(tuning_request(options, SourceKind::files, kFour).pinning, Pinning::always);
  EXPECT_THAT(tuning_request(options, SourceKind::files, kFour).cores, ElementsAre(3, 1));
  options.affinity = "4";
  EXPECT_THROW((void)usual_parallelism(options, kFour), base::Error);
}

TEST(Parallelism, PinsOnlyWhereThatWasMeasuredAndNeverUnderAQuota) {
  SpreadOptions options;
  EXPECT_EQ(tuning_request(options, SourceKind::files, kFour).pinning, Pinning::never);
  options.affinity = "auto";
  EXPECT_THAT(usual_parallelism(options, kFour).cores, IsEmpty());
  EXPECT_EQ(tuning_request(options, SourceKind::files, kFour).pinning, Pinning::measured);
  EXPECT_EQ(tuning_request(options, SourceKind::files, {{0, 1, 2, 3}, 2}).pinning, Pinning::never);
  vision::Tuning tuning;
  EXPECT_THAT(tuned_parallelism(options, kFour, tuning).cores, IsEmpty());
  tuning.is_pinned = true;
  EXPECT_THAT(tuned_parallelism(options, kFour, tuning).cores, ElementsAre(0, 1, 2, 3));
}

TEST(Parallelism, MeasuresOnlyWhatIsNotSaid) {
  SpreadOptions options;
  options.workers = 3;
  options.batch = 2;
  const auto request = tuning_request(options, SourceKind::files, kFour);
  EXPECT_EQ(request.workers, 3);
  EXPECT_EQ(request.threads, std::nullopt);
  EXPECT_EQ(request.batch, 2U);
}

TEST(Parallelism, LetsNoLiveFrameWaitForOthers) {
  SpreadOptions options;
  EXPECT_EQ(tuning_request(options, SourceKind::files, kFour).batch, std::nullopt);
  EXPECT_EQ(tuning_request(options, SourceKind::live, kFour).batch, 1U);
  Parallelism two;
  two.workers = 2;
  EXPECT_EQ(frames_in_flight(SourceKind::live, two), 2U);
  EXPECT_EQ(frames_in_flight(SourceKind::files, two), 4U);
  two.batch = 4;
  EXPECT_EQ(frames_in_flight(SourceKind::files, two), 16U);
}

}  // namespace
}  // namespace andon::inspect
