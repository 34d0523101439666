// SPDX-License-Identifier: Apache-2.0
#include "edge/publish_spool.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "edge/mqtt_link_fake.hpp"
#include "edge/state_database.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using wire::PublishOutcome;

class PublishSpoolTest : public testing::Test {
 protected:
  std::unique_ptr<PublishSpool> open(std::uint64_t max_bytes = 10'000) {
    return std::make_unique<PublishSpool>(
        loop_, link_, *database_, clock_,
        SpoolLimits{max_bytes, milliseconds{10}, milliseconds{20}});
  }
  std::vector<std::string> in_flight() const {
    std::vector<std::string> payloads;
    for (const auto& one : link_.published) payloads.push_back(one.message.payload);
    return payloads;
  }
  using Texts = std::vector<std::string>;

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  base::FakeClock clock_;
  EventLoop loop_;
  FakeMqttLink link_;
};

TEST_F(PublishSpoolTest, KeepsTheOrderWithinATopicAndSendsTopicsSideBySide) {
  const auto spool = open();
  link_.connect(true);
  spool->add({"a", "1"}, {});
  spool->add({"a", "2"}, {});
  spool->add({"b", "3"}, {});
  EXPECT_EQ(in_flight(), (Texts{"1", "3"}));
  link_.settle(PublishOutcome::delivered);
  EXPECT_EQ(in_flight(), (Texts{"3", "2"}));
  link_.settle(PublishOutcome::delivered);
  link_.settle(PublishOutcome::delivered);
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(PublishSpoolTest, WhatWasAddedOfflineGoesOutAfterARestart) {
  open()->add({"a", "1"}, {});
  const auto spool = open();
  EXPECT_GT(spool->bytes(), 0U);
  EXPECT_TRUE(in_flight().empty());
  link_.connect(true);
  EXPECT_EQ(in_flight(), Texts{"1"});
}

TEST_F(PublishSpoolTest, AMessageThatNobodyReadsIsTriedAgainAndHoldsBackItsTopic) {
  const auto spool = open();
  link_.connect(true);
  spool->add({"a", "1"}, {});
  link_.settle(PublishOutcome::no_subscribers);
  spool->add({"a", "2"}, {});
  EXPECT_TRUE(in_flight().empty());
  ASSERT_TRUE(loop_.run_until([&] { return !in_flight().empty(); }, milliseconds{5000}));
  EXPECT_EQ(in_flight(), Texts{"1"});
}

TEST_F(PublishSpoolTest, WhatWasInFlightWhenTheConnectionBrokeIsSentAgain) {
  const auto spool = open();
  link_.connect(true);
  spool->add({"a", "1"}, {});
  link_.connect(false);
  link_.settle(PublishOutcome::timed_out);
  ASSERT_FALSE(loop_.run_until([&] { return !in_flight().empty(); }, milliseconds{50}));
  link_.connect(true);
  EXPECT_TRUE(loop_.run_until([&] { return !in_flight().empty(); }, milliseconds{5000}));
}

TEST_F(PublishSpoolTest, WhatWasDeliveredJustBeforeTheConnectionBrokeIsSentAgainInOrder) {
  const auto spool = open();
  link_.connect(true);
  for (const char* text : {"1", "2"}) {
    spool->add({"a", text}, {});
    link_.settle(PublishOutcome::delivered);
  }
  EXPECT_EQ(spool->bytes(), 0U);
  link_.connect(false);
  spool->add({"a", "3"}, {});
  link_.connect(true);
  for (const char* text : {"1", "2", "3"}) {
    EXPECT_EQ(in_flight(), Texts{text});
    link_.settle(PublishOutcome::delivered);
  }
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(PublishSpoolTest, WhatWasDeliveredLongBeforeTheConnectionBrokeIsNotSentAgain) {
  const auto spool = open();
  link_.connect(true);
  spool->add({"a", "1"}, {});
  link_.settle(PublishOutcome::delivered);
  clock_.advance(std::chrono::seconds{11});
  link_.connect(false);
  link_.connect(true);
  EXPECT_TRUE(in_flight().empty());
}

TEST_F(PublishSpoolTest, AFullSpoolDropsTheOldestAndCounts) {
  const auto spool = open(1000);
  for (int i = 0; i < 10; ++i) spool->add({"a", std::to_string(i) + std::string(200, 'x')}, {});
  EXPECT_LE(spool->bytes(), 1000U);
  EXPECT_EQ(spool->dropped(), 7);
  link_.connect(true);
  EXPECT_EQ(in_flight().front().front(), '7');
  EXPECT_THROW(spool->add({"a", std::string(2000, 'x')}, {}), base::Error);
}

}  // namespace
}  // namespace andon::edge
