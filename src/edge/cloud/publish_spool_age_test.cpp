// SPDX-License-Identifier: Apache-2.0
// Messages that wait too long, under clocks that are right, late and wrong.
#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "edge/testing/settle.hpp"

namespace andon::edge {
namespace {

using std::chrono::hours;

class SpoolAgeTest : public testing::Test {
 protected:
  std::unique_ptr<PublishSpool> open(hours max_age) {
    return std::make_unique<PublishSpool>(loop_, link_, *database_, writer_, clock_,
                                          SpoolLimits{.max_age = max_age});
  }
  void add(PublishSpool& spool, const std::string& payload) {
    spool.add({"a", payload}, {}, {});
    settle(loop_, writer_);
  }
  // Of both clocks, hour by hour, as timers need.
  void pass(hours time) {
    for (hours passed{0}; passed < time; ++passed) {
      clock_.advance(hours{1});
      loop_clock_.advance(hours{1});
      settle(loop_, writer_);
    }
  }
  std::int64_t waiting() {
    settle(loop_, writer_);
    std::int64_t count = 0;
    database_->read([&](store::Transaction& transaction) {
      count = transaction.query_one("SELECT count(*) FROM spool")->integer(0);
    });
    return count;
  }
  std::vector<std::string> sent() {
    link_.connect(true);
    settle(loop_, writer_);
    std::vector<std::string> payloads;
    while (!link_.published.empty()) {
      payloads.push_back(link_.published.front().message.payload);
      link_.settle(wire::PublishOutcome::delivered);
      settle(loop_, writer_);
    }
    return payloads;
  }
  using Texts = std::vector<std::string>;

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  base::FakeClock clock_{base::Timestamp{std::chrono::sys_days(std::chrono::year(2026) / 5 / 1)}};
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  StateWriter writer_{loop_, *database_};
  FakeMqttLink link_;
};

TEST_F(SpoolAgeTest, WhatIsTooOldIsDroppedAndCountedEachHour) {
  auto spool = open(hours{10});
  add(*spool, "old");
  const std::uint64_t of_one = spool->bytes();
  pass(hours{9});
  add(*spool, "young");
  EXPECT_EQ(waiting(), 2);
  pass(hours{3});
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(spool->dropped(), 1);
  EXPECT_EQ(spool->bytes(), of_one + 2);  // "young" has two letters more
  EXPECT_EQ(sent(), (Texts{"young"}));
}

TEST_F(SpoolAgeTest, AStartDropsWhatBecameTooOldWhileTheDeviceWasOff) {
  {
    auto spool = open(hours{10});
    add(*spool, "old");
  }
  clock_.advance(hours{100});
  auto spool = open(hours{10});
  EXPECT_EQ(spool->dropped(), 1);
  EXPECT_EQ(spool->bytes(), 0U);
  EXPECT_EQ(sent(), Texts{});
}

TEST_F(SpoolAgeTest, WithoutALimitMessagesWaitAtAnyAge) {
  auto spool = open(hours{0});
  add(*spool, "old");
  pass(hours{24 * 60});
  EXPECT_EQ(waiting(), 1);
  spool->set_limits(1U << 20U, hours{24 * 61});
  EXPECT_EQ(waiting(), 1);
  spool->set_limits(1U << 20U, hours{24 * 59});
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(spool->dropped(), 1);
}

TEST_F(SpoolAgeTest, AClockThatIsSetForwardMakesNothingOlder) {
  auto spool = open(hours{10});
  add(*spool, "a");
  clock_.advance(hours{24 * 365 * 10});
  pass(hours{1});
  add(*spool, "b");
  pass(hours{8});
  EXPECT_EQ(waiting(), 2);
  pass(hours{2});
  EXPECT_EQ(sent(), (Texts{"b"}));
}

TEST_F(SpoolAgeTest, WhatWasWrittenByAClockThatWasNotSetOrSetBackSinceAgesFromThenOn) {
  clock_.advance(-hours{24 * 365 * 50});
  {
    auto spool = open(hours{10});
    add(*spool, "unset");
  }
  clock_.advance(hours{24 * 365 * 50});
  {
    auto spool = open(hours{10});
    EXPECT_EQ(waiting(), 1);
  }
  clock_.advance(-hours{24 * 365});
  auto spool = open(hours{10});
  pass(hours{9});
  EXPECT_EQ(waiting(), 1);
  pass(hours{2});
  EXPECT_EQ(waiting(), 0);
}

}  // namespace
}  // namespace andon::edge
