// SPDX-License-Identifier: Apache-2.0
#include "control/results/result_intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <set>

#include "base/testing/fake_clock.hpp"
#include "fleet/messages/result_message.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr const char* kTopic = "cmd/andon/line-1/stored/server";

// What devices are told; waits for it.
class Told final : public Notifier {
 public:
  void publish(const std::string& topic, const std::string& payload) override {
    const std::lock_guard lock(mutex_);
    for (const auto& digest : fleet::parse_stored_message(payload)) told_.emplace(topic, digest);
    changed_.notify_all();
  }
  std::multiset<std::pair<std::string, std::string>> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multiset<std::pair<std::string, std::string>> told_;
};

std::string message(const std::string& image) {
  return R"({"timestamp": "2026-11-22T10:00:00Z", "image": {"name": ")" + image +
         R"("}, "detections": [{"label": "dent", "confidence": 0.7}]})";
}

class ResultIntakeTest : public testing::Test {
 protected:
  std::unique_ptr<ResultIntake> intake(ResultIntake::Limits limits = {}) {
    return std::make_unique<ResultIntake>(
        results_, told_, clock_, [this](const std::string& thing) { return may_.contains(thing); },
        limits);
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "results.db");
  Results results_{*database_, clock_, {}};
  std::set<std::string> may_{"line-1", "line-2"};
  Told told_;
};

TEST_F(ResultIntakeTest, WhatIsStoredIsToldToItsDeviceAlsoWhereItCameAgain) {
  const auto intake = this->intake();
  intake->take("line-1", message("a"));
  const auto digest = trust::sha256_hex(message("a"));
  EXPECT_THAT(told_.wait_for(1), ElementsAre(std::pair(kTopic, digest)));
  ASSERT_EQ(results_.list({}).results.size(), 1U);
  EXPECT_EQ(results_.list({}).results.front().result.label, "dent");
  intake->take("line-1", message("a"));
  EXPECT_EQ(told_.wait_for(2).size(), 2U);
  EXPECT_EQ(results_.list({}).results.size(), 1U);
  EXPECT_EQ(intake->counts().stored, 1U);
  EXPECT_EQ(intake->counts().repeated, 1U);
}

TEST_F(ResultIntakeTest, EachDeviceIsToldOfItsOwn) {
  const auto intake = this->intake();
  intake->take("line-1", message("a"));
  intake->take("line-2", message("b"));
  EXPECT_THAT(told_.wait_for(2),
              UnorderedElementsAre(
                  std::pair(kTopic, trust::sha256_hex(message("a"))),
                  std::pair("cmd/andon/line-2/stored/server", trust::sha256_hex(message("b")))));
}

TEST_F(ResultIntakeTest, WhatIsNoResultIsKeptWithTheReason) {
  const auto intake = this->intake();
  for (const std::string& text : {std::string("hello\xff"), std::string(), message("")}) {
    intake->take("line-1", text);
  }
  EXPECT_EQ(told_.wait_for(3).size(), 3U);
  const auto page = results_.list({});
  ASSERT_EQ(page.results.size(), 3U);
  for (const auto& one : page.results) {
    EXPECT_NE(one.result.problem, "");
    EXPECT_TRUE(one.result.image.starts_with("sha256:"));
    EXPECT_EQ(one.result.time, clock_.now());
  }
  EXPECT_EQ(intake->counts().unreadable, 3U);
}

TEST_F(ResultIntakeTest, AThingThatMayNotIsLeftAloneAndToldNothing) {
  const auto intake = this->intake();
  intake->take("ghost", message("a"));
  intake->take("line-1", message("b"));
  EXPECT_EQ(told_.wait_for(1).size(), 1U);
  EXPECT_EQ(results_.totals().results, 1);
  EXPECT_EQ(intake->counts().dropped, 1U);
}

TEST_F(ResultIntakeTest, WhatCannotBeStoredIsNotToldAndTheNextIs) {
  database_->write([](store::Transaction& tx) {
    tx.execute(
        "CREATE TRIGGER full BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'full'); END");
  });
  const auto intake = this->intake({.gather = milliseconds{0}, .after_failure = milliseconds{1}});
  intake->take("line-1", message("a"));
  while (intake->counts().dropped == 0) std::this_thread::yield();
  database_->write([](store::Transaction& tx) { tx.execute("DROP TRIGGER full"); });
  intake->take("line-1", message("b"));
  EXPECT_THAT(told_.wait_for(1), ElementsAre(std::pair(kTopic, trust::sha256_hex(message("b")))));
}

TEST_F(ResultIntakeTest, OneThingCannotTakeTheRoomOfTheOthers) {
  const auto intake = this->intake({.thing_bytes = 3000, .gather = std::chrono::seconds(10)});
  for (int i = 0; i < 100; ++i) intake->take("line-1", message(std::to_string(i)));
  const auto dropped = intake->counts().dropped;
  EXPECT_GT(dropped, 50U);
  intake->take("line-2", message("a"));
  EXPECT_EQ(intake->counts().dropped, dropped);
}

TEST_F(ResultIntakeTest, WhatIsQueuedAtTheEndIsStored) {
  auto intake = this->intake({.gather = std::chrono::seconds(10)});
  for (int i = 0; i < 1000; ++i) intake->take("line-1", message(std::to_string(i)));
  intake.reset();
  EXPECT_EQ(results_.totals().results, 1000);
  EXPECT_EQ(told_.wait_for(1000).size(), 1000U);
}

}  // namespace
}  // namespace andon::control
