// SPDX-License-Identifier: Apache-2.0
#include "edge/budget/link_budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <memory>
#include <thread>

#include "base/json/json.hpp"

namespace andon::edge {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::HasSubstr;

class LinkBudgetTest : public testing::Test {
 protected:
  LinkBudgetTest() { make(); }

  // As a new process has it.
  void make() {
    budget_ = std::make_unique<LinkBudget>(LinkBudget::World{
        directory_.path() / "volume.json",
        [this] {
          return VolumeMeter::Now{"one", milliseconds(now_ms_), base::from_epoch_millis(wall_ms_)};
        },
        [this](base::Timestamp time) {
          return static_cast<int>(base::to_epoch_millis(time) / 60'000 % (24 * 60));
        }});
  }

  // Once it waits, on another thread.
  std::string reason_of(LinkUse use) {
    std::string why;
    while (why.empty()) {
      std::this_thread::yield();
      why = budget_->waits_for(use);
    }
    return why;
  }

  void pass(milliseconds time) {
    now_ms_ += time.count();
    wall_ms_ += time.count();
  }

  const base::TemporaryDirectory directory_;
  std::atomic<std::int64_t> now_ms_{milliseconds(hours(100)).count()};
  std::atomic<std::int64_t> wall_ms_{milliseconds(hours(24 * 20'000 + 9)).count()};
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<LinkBudget> budget_;
};

TEST_F(LinkBudgetTest, WithoutABudgetNothingWaitsAndNothingIsKept) {
  EXPECT_FALSE(budget_->await(LinkUse::downloads, cancelled_));
  budget_->take(LinkUse::exports, std::uint64_t{1} << 50U, cancelled_);
  EXPECT_TRUE(budget_->spend(LinkUse::downloads, std::uint64_t{1} << 50U, cancelled_));
  EXPECT_TRUE(budget_->status().empty());
  EXPECT_TRUE(base::fs::is_empty(directory_.path()));
}

TEST_F(LinkBudgetTest, AllUsesShareTheVolumeAndWhatWaitsSaysSo) {
  budget_->configure({.bytes_per_hour = 1000});
  budget_->take(LinkUse::exports, 600, cancelled_);
  EXPECT_FALSE(budget_->spend(LinkUse::downloads, 400, cancelled_));
  auto download = std::async([&] { return budget_->await(LinkUse::downloads, cancelled_); });
  EXPECT_THAT(reason_of(LinkUse::downloads),
              testing::AllOf(HasSubstr("1000 of the link's 1000 bytes an hour"),
                             HasSubstr("downloads go on in 65 min")));
  EXPECT_THAT(base::to_text(budget_->status()), HasSubstr("downloads go on"));
  pass(minutes(65));
  EXPECT_TRUE(download.get());
  EXPECT_EQ(budget_->waits_for(LinkUse::downloads), "");
}

TEST_F(LinkBudgetTest, AVolumeThatIsUsedUpIsUsedUpAfterARestart) {
  budget_->configure({.bytes_per_day = 1000});
  budget_->take(LinkUse::logs, 1000, cancelled_);
  make();
  wall_ms_ -= milliseconds(hours(50'000)).count();
  budget_->configure({.bytes_per_day = 1000});
  auto more = std::async([&] { budget_->take(LinkUse::logs, 1, cancelled_); });
  EXPECT_THAT(reason_of(LinkUse::logs), HasSubstr("bytes a day"));
  cancelled_ = true;
  more.get();
}

TEST_F(LinkBudgetTest, AKeptVolumeThatIsDamagedCountsAsNothing) {
  base::write_file_atomically(directory_.path() / "volume.json", "{\"slots\":");
  make();
  budget_->configure({.bytes_per_day = 1000});
  EXPECT_FALSE(budget_->await(LinkUse::downloads, cancelled_));
}

TEST_F(LinkBudgetTest, AWindowOpensByTheServersTimeAndIsInNobodysWay) {
  LinkWindow window{10 * 60, 11 * 60, {}};
  window.uses[0] = true;
  std::atomic<int> changes{0};
  budget_->on_change([&] { ++changes; });
  budget_->configure({.bytes_per_second = 1 << 30, .windows = {window}});
  auto download = std::async([&] { return budget_->await(LinkUse::downloads, cancelled_); });
  const std::string why = reason_of(LinkUse::downloads);
  EXPECT_THAT(why, testing::AllOf(HasSubstr("outside their window"), HasSubstr("10:00")));
  budget_->take(LinkUse::logs, 1000, cancelled_);
  EXPECT_FALSE(budget_->spend(LinkUse::downloads, 1, cancelled_));
  budget_->set_ahead(-hours(1));  // it is 10:00 for the server
  EXPECT_TRUE(download.get());
  EXPECT_TRUE(budget_->spend(LinkUse::downloads, 1, cancelled_));
  EXPECT_EQ(changes, 2);
}

TEST_F(LinkBudgetTest, WhoIsFirstInTheOrderGoesFirst) {
  const std::array order = {LinkUse::logs, LinkUse::downloads, LinkUse::exports, LinkUse::uploads};
  budget_->configure({.bytes_per_hour = 1000, .order = order});
  budget_->take(LinkUse::exports, 600, cancelled_);
  auto logs = std::async([&] { budget_->take(LinkUse::logs, 500, cancelled_); });
  EXPECT_THAT(reason_of(LinkUse::logs), HasSubstr("logs go on in"));
  auto exports = std::async([&] { budget_->take(LinkUse::exports, 1, cancelled_); });
  EXPECT_EQ(reason_of(LinkUse::exports), "exports wait: logs go first");
  pass(minutes(65));
  logs.get();
  exports.get();
  EXPECT_EQ(budget_->status().at("lastHourBytes").to_number<int>(),
            500);  // the first have left the hour
}

TEST_F(LinkBudgetTest, AUseHasItsOwnRateBeneathThatOfAll) {
  budget_->configure({.bytes_per_second = 2000});
  budget_->cap(LinkUse::exports, 500);
  budget_->cap(LinkUse::logs, 5000);
  EXPECT_EQ(budget_->rate(LinkUse::exports), 500U);
  EXPECT_EQ(budget_->rate(LinkUse::logs), 2000U);
  EXPECT_EQ(budget_->rate(LinkUse::downloads), 2000U);
  budget_->configure({});
  EXPECT_EQ(budget_->rate(LinkUse::exports), 500U);
  EXPECT_EQ(budget_->rate(LinkUse::downloads), 0U);
}

TEST_F(LinkBudgetTest, WhoAsksFromElsewhereIsToldWhenToAskAgainAndWhy) {
  budget_->configure({.bytes_per_hour = 1000});
  EXPECT_TRUE(budget_->ask(LinkUse::uploads, 600).is_given);
  const LinkBudget::Leave leave = budget_->ask(LinkUse::uploads, 500);
  EXPECT_FALSE(leave.is_given);
  EXPECT_GT(leave.ask_again, milliseconds(0));
  EXPECT_THAT(leave.why, HasSubstr("uploads go on in 65 min"));
  EXPECT_EQ(budget_->waits_for(LinkUse::uploads), leave.why);
  EXPECT_THAT(base::to_text(budget_->status()), HasSubstr("uploads go on"));
  EXPECT_EQ(budget_->status().at("lastHourBytes").to_number<int>(), 600);
  pass(minutes(65));
  EXPECT_TRUE(budget_->ask(LinkUse::uploads, 500).is_given);
  EXPECT_EQ(budget_->waits_for(LinkUse::uploads), "");
}

TEST_F(LinkBudgetTest, WhoAsksFromElsewhereKeepsItsPlaceInTheOrderUntilItAsksAgain) {
  budget_->configure({.bytes_per_hour = 1000});
  budget_->take(LinkUse::exports, 600, cancelled_);
  EXPECT_FALSE(budget_->ask(LinkUse::uploads, 500).is_given);
  auto exports = std::async([&] { budget_->take(LinkUse::exports, 1, cancelled_); });
  EXPECT_EQ(reason_of(LinkUse::exports), "exports wait: uploads go first");
  // Those that go first wait for themselves alone.
  budget_->take(LinkUse::downloads, 1, cancelled_);
  pass(minutes(65));
  EXPECT_TRUE(budget_->ask(LinkUse::uploads, 500).is_given);
  exports.get();
}

TEST_F(LinkBudgetTest, WhoAsksFromElsewhereKeepsToTheRate) {
  budget_->configure({.bytes_per_second = 1024});
  EXPECT_TRUE(budget_->ask(LinkUse::uploads, 1'000'000).is_given);
  const LinkBudget::Leave leave = budget_->ask(LinkUse::uploads, 1);
  EXPECT_FALSE(leave.is_given);
  EXPECT_EQ(leave.ask_again, milliseconds(30'000));
  EXPECT_THAT(leave.why, HasSubstr("bytes a second"));
}

TEST_F(LinkBudgetTest, WhoIsCancelledStopsWaiting) {
  budget_->configure({.bytes_per_second = 1024});
  budget_->take(LinkUse::exports, 10, cancelled_);
  auto take = std::async([&] { budget_->take(LinkUse::exports, 1 << 30, cancelled_); });
  cancelled_ = true;
  take.get();
  EXPECT_TRUE(budget_->spend(LinkUse::downloads, 1, cancelled_));
}

}  // namespace
}  // namespace andon::edge
