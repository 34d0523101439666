// SPDX-License-Identifier: Apache-2.0
// Figures instead of runs: which way wins does not hang on this machine's speed.
#include "vision/tuning/contest.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace andon::vision {
namespace {

using std::chrono::duration;
using PicturesPerSecond = std::function<double(const Tuning&)>;

// Measures until all is decided.
Tuning hold(TuningContest& contest, const PicturesPerSecond& rate,
            std::size_t most_pictures = TuningContest::kMostPictures, double round_seconds = 0.01) {
  while (const auto number = contest.next()) {
    contest.set_batches(*number, most_pictures, contest.tuning(*number).batch);
    contest.add_round(*number, rate(contest.tuning(*number)), duration<double>(round_seconds));
  }
  return contest.winner();
}

TuningRequest one_worker() {
  TuningRequest request;
  request.workers = 1;
  request.threads = 1;
  return request;
}

// Four cores, whatever this machine has.
TuningRequest four_cores(TuningGoal goal) {
  TuningRequest request;
  request.goal = goal;
  request.cores = {0, 1, 2, 3};
  request.batch = 1;
  return request;
}

TEST(TuningContest, TakesTheLargestBatchThatIsWorthIt) {
  TuningContest all(one_worker());
  EXPECT_EQ(hold(all, [](const Tuning& it) { return 100.0 * static_cast<double>(it.batch); }).batch,
            16U);
  TuningContest up_to_four(one_worker());
  EXPECT_EQ(hold(up_to_four,
                 [](const Tuning& it) {
                   return it.batch <= 4 ? 10.0 * static_cast<double>(it.batch) : 40.0;
                 })
                .batch,
            4U);
  TuningContest none(one_worker());
  EXPECT_EQ(hold(none, [](const Tuning& it) { return it.batch == 1 ? 100.0 : 101.0; }).batch, 1U);
}

TEST(TuningContest, TriesNoBatchOfAModelThatTakesOnePicture) {
  TuningContest contest(one_worker());
  EXPECT_EQ(hold(
                contest, [](const Tuning& it) { return static_cast<double>(it.batch); }, 1)
                .batch,
            1U);
  EXPECT_EQ(contest.phase_number(), 1);
}

TEST(TuningContest, LeavesTheUsualWayOnlyForOneThatWinsEachRound) {
  const auto usual = [](const Tuning& it) { return it.threads == 1; };
  TuningContest clear(four_cores(TuningGoal::throughput));
  EXPECT_EQ(
      hold(clear, [&](const Tuning& it) { return usual(it) ? 100.0 : 110.0 + it.threads; }).threads,
      4);
  int round = 0;
  TuningContest doubtful(four_cores(TuningGoal::throughput));
  EXPECT_EQ(
      hold(doubtful,
           [&](const Tuning& it) { return usual(it) ? 100.0 : (++round <= 3 ? 99.0 : 150.0); })
          .threads,
      1);
}

TEST(TuningContest, TakesAllCoresForOnePictureWhereNothingIsFaster) {
  TuningContest contest(four_cores(TuningGoal::latency));
  const Tuning winner = hold(contest, [](const Tuning&) { return 100.0; });
  EXPECT_EQ(winner.workers, 1);
  EXPECT_EQ(winner.threads, 4);
}

TEST(TuningContest, MeasuresEachWayOnceWhereRoundsTakeLong) {
  TuningContest contest(four_cores(TuningGoal::throughput));
  int rounds = 0;
  (void)hold(
      contest, [&](const Tuning&) { return static_cast<double>(++rounds); }, 1, 3.0);
  EXPECT_EQ(static_cast<std::size_t>(rounds), contest.size());
}

TEST(TuningContest, PinsThreadsWhereThatIsMeasuredAndWorthIt) {
  TuningRequest request = four_cores(TuningGoal::throughput);
  request.pinning = TuningRequest::Pinning::measured;
  TuningContest worth(request);
  EXPECT_TRUE(hold(worth, [](const Tuning& it) { return it.is_pinned ? 110.0 : 100.0; }).is_pinned);
  TuningContest not_worth(request);
  EXPECT_FALSE(
      hold(not_worth, [](const Tuning& it) { return it.is_pinned ? 101.0 : 100.0; }).is_pinned);
}

}  // namespace
}  // namespace andon::vision
