// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"
#include "events/delivery/dispatcher.hpp"
#include "events/schedule/schedules.hpp"

namespace andon::events {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kLog = "arn:aws:logs:us-east-1:000000000000:log-group:l";

class Delivering : public testing::Test {
 protected:
  Delivering() { restart(); }

  // As after a crash: all that was in memory is gone.
  void restart(EventQueue::Limits limits = {}) {
    dispatcher_.reset();
    queue_.reset();
    rules_ = std::make_unique<Rules>(*database_, clock_);
    schedules_ = std::make_unique<Schedules>(*database_, clock_);
    queue_ = std::make_unique<EventQueue>(*database_, clock_,
                                          EventArns("us-east-1", "000000000000"), *rules_, limits);
    dispatcher_ = std::make_unique<Dispatcher>(
        *queue_, clock_, feeds_,
        [this](const Delivery& delivery, const Reply& reply) {
          sent_.push_back(delivery);
          if (outcome_) reply(*outcome_);
        },
        Dispatcher::Limits{}, [this] { ++settled_; });
  }
  void rule(const std::string& name, const std::string& pattern, json::object more = {}) {
    rules_->put({.name = name, .pattern = pattern});
    more["Id"] = "t";
    more["Arn"] = kLog;
    rules_->put_targets("default", name, {more});
  }
  std::string put(const std::string& source, json::object detail = {}) {
    const Envelope event = envelop({.source = source,
                                    .detail_type = "t",
                                    .resources = {},
                                    .detail = std::move(detail),
                                    .time = clock_.now()},
                                   queue_->arns());
    queue_->accept("default", event);
    return event.id;
  }
  void run() {
    while (dispatcher_->step()) {
    }
  }
  std::vector<EventQueue::Record> records(const std::string& rule) {
    return queue_->records(queue_->arns().rule("default", rule), 100);
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_;
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "andon.db");
  std::vector<Feed> feeds_;
  std::vector<Delivery> sent_;
  std::optional<Outcome> outcome_ = Outcome{};
  int settled_ = 0;
  std::unique_ptr<Rules> rules_;
  std::unique_ptr<Schedules> schedules_;
  std::unique_ptr<EventQueue> queue_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(Delivering, WhatAnEventHasBegunIsToldByItsIdForEachRule) {
  rule("a", R"({"source":["a"]})");
  rule("b", R"({"source":["a"]})");
  const std::string execution = "arn:aws:states:us-east-1:000000000000:execution:m:1";
  outcome_ = Outcome{Outcome::Kind::delivered, {}, {}, execution};
  put("a");
  const std::string id = put("a");
  run();
  const auto told = queue_->records_of_event(id, 10);
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[1].source_arn, testing::EndsWith("rule/a"));
  for (const auto& one : told) {
    EXPECT_EQ(one.started, execution);
    EXPECT_EQ(one.event_id, id);
  }
  EXPECT_EQ(records("a")[0].started, execution);
  EXPECT_THAT(queue_->records_of_event("another", 10), SizeIs(0));
}

TEST_F(Delivering, AnEventGoesToTheTargetsOfRulesThatTakeIt) {
  rule("a", R"({"source":["a"]})");
  rule("b", R"({"source":["b"]})");
  const std::string id = put("a");
  run();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].event_id, id);
  EXPECT_THAT(sent_[0].source_arn, testing::EndsWith("rule/a"));
  const auto told = records("a");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].status, "DELIVERED");
  EXPECT_EQ(queue_->gauges().deliveries, 0);
  EXPECT_EQ(queue_->gauges().events, 0);
}

TEST_F(Delivering, WhoShowsOutcomesHearsOnceTheyAreThere) {
  rule("a", R"({"source":["a"]})");
  run();
  EXPECT_EQ(settled_, 0);
  put("a");
  run();
  EXPECT_EQ(settled_, 1);
  outcome_.reset();  // it has not answered
  put("a");
  run();
  EXPECT_EQ(settled_, 1);
}

TEST_F(Delivering, ARuleThatIsDisabledTakesNothing) {
  rule("a", R"({"source":["a"]})");
  rules_->enable("default", "a", false);
  put("a");
  run();
  EXPECT_THAT(sent_, SizeIs(0));
}

TEST_F(Delivering, WhatFailedIsTriedAgainLaterAndLaterAndThenIsDead) {
  rule("a", R"({"source":["a"]})",
       {{"RetryPolicy", json::object{{"MaximumRetryAttempts", 2}}},
        {"DeadLetterConfig", json::object{{"Arn", kLog}}}});
  outcome_ = Outcome{Outcome::Kind::failed, "TIMEOUT", "no answer"};
  put("a");
  run();
  EXPECT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(records("a")[0].status, "RETRYING");
  EXPECT_EQ(records("a")[0].error_code, "TIMEOUT");
  clock_.advance(seconds(1));
  run();
  EXPECT_THAT(sent_, SizeIs(2));
  clock_.advance(seconds(1));
  run();
  EXPECT_THAT(sent_, SizeIs(2));  // two seconds now
  outcome_ = Outcome{Outcome::Kind::failed, "TIMEOUT", "no answer"};
  clock_.advance(seconds(1));
  dispatcher_->step();
  outcome_ = Outcome{};
  run();
  ASSERT_THAT(sent_, SizeIs(4));
  EXPECT_EQ(sent_[0].token, sent_[2].token);
  EXPECT_THAT(sent_[3].input, HasSubstr("\"EXHAUSTED_RETRY_CONDITION\":\"MaximumRetryAttempts\""));
  EXPECT_EQ(records("a").back().status, "DEAD");
}

TEST_F(Delivering, WhatIsRefusedIsNotTriedAgain) {
  rule("a", R"({"source":["a"]})");
  outcome_ = Outcome{Outcome::Kind::refused, "NO_PERMISSIONS", "may not"};
  put("a", {{"n", 1}});
  run();
  clock_.advance(hours(1));
  run();
  EXPECT_THAT(sent_, SizeIs(1));
  ASSERT_THAT(records("a"), SizeIs(1));
  EXPECT_EQ(records("a")[0].status, "DEAD");
  EXPECT_THAT(records("a")[0].input, HasSubstr("\"n\":1"));
}

TEST_F(Delivering, ATargetThatNeverAnswersCountsAsFailed) {
  rule("a", R"({"source":["a"]})");
  outcome_.reset();
  put("a");
  run();
  clock_.advance(minutes(21));
  outcome_ = Outcome{};
  run();
  clock_.advance(seconds(1));
  run();
  EXPECT_EQ(records("a")[0].status, "DELIVERED");
  EXPECT_EQ(records("a")[0].attempts, 2);
}

TEST_F(Delivering, ASlowTargetHoldsNobodyUp) {
  rule("slow", R"({"source":["a"]})");
  rules_->put({.name = "other", .pattern = R"({"source":["b"]})"});
  rules_->put_targets("default", "other", {{{"Id", "t"}, {"Arn", std::string(kLog) + "other"}}});
  outcome_.reset();
  for (int i = 0; i < 30; ++i) put("a");
  put("b");
  run();
  EXPECT_THAT(sent_, SizeIs(9));
  EXPECT_EQ(sent_.back().target_arn(), std::string(kLog) + "other");
}

TEST_F(Delivering, NothingIsLostInCrashesAtAnyStep) {
  std::int64_t last = 0;
  std::int64_t read_to = 0;
  feeds_ = {{.name = "feed",
             .read =
                 [&last](std::int64_t after, std::size_t limit) {
                   std::vector<Feed::Item> items;
                   for (std::int64_t i = after + 1; i <= last && items.size() < limit; ++i) {
                     items.push_back({i, Event{.source = "a",
                                               .detail_type = "t",
                                               .resources = {},
                                               .detail = {{"n", i}},
                                               .time = {}}});
                   }
                   return items;
                 },
             .taken = [&read_to](std::int64_t position) { read_to = position; }}};
  restart();
  rule("a", R"({"source":["a"]})", {{"InputPath", "$.detail.n"}});
  outcome_.reset();
  // Each time it gets one step further, or stands where answers were on their way.
  for (int round = 0; round < 40; ++round) {
    last += 5;
    for (int step = 0; step < round % 4; ++step) {
      outcome_ = (round + step) % 3 == 0 ? std::optional(Outcome{}) : std::nullopt;
      dispatcher_->step();
    }
    restart();
  }
  outcome_ = Outcome{};
  run();
  std::set<std::string> seen;
  for (const Delivery& one : sent_) seen.insert(one.input);
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), last);
  EXPECT_EQ(read_to, last);
  // Each is over once, however often it was sent.
  EXPECT_EQ(queue_->records(queue_->arns().rule("default", "a"), 1000).size(),
            static_cast<std::size_t>(last));
}

TEST_F(Delivering, WhoBringsMoreThanThereIsRoomForIsRefused) {
  restart({.events = 3});
  rule("a", R"({"source":["a"]})");
  for (int i = 0; i < 3; ++i) put("a");
  EXPECT_THROW(put("a"), base::Error);
  run();
  put("a");
  run();
  EXPECT_THAT(sent_, SizeIs(4));
}

TEST_F(Delivering, OutcomesAreForgottenAfterTheLastOnes) {
  restart({.outcomes = 2});
  rule("a", R"({"source":["a"]})");
  for (int i = 0; i < 5; ++i) {
    put("a");
    run();
  }
  EXPECT_THAT(records("a"), SizeIs(2));
}

TEST_F(Delivering, AScheduledRuleMakesAnEventForItsOwnTargets) {
  rules_->put({.name = "tick", .schedule = "rate(5 minutes)"});
  rules_->put_targets("default", "tick", {{{"Id", "t"}, {"Arn", kLog}}});
  rule("other", R"({"source":["aws.events"]})");
  run();
  EXPECT_THAT(sent_, SizeIs(0));
  clock_.advance(minutes(5));
  run();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_THAT(sent_[0].input, HasSubstr("\"detail-type\":\"Scheduled Event\""));
  // Several that were missed are one.
  clock_.advance(minutes(17));
  restart();
  run();
  EXPECT_THAT(sent_, SizeIs(2));
  clock_.advance(minutes(3));
  run();
  EXPECT_THAT(sent_, SizeIs(3));
}

Schedule schedule(const std::string& expression) {
  return {.name = "s",
          .expression = expression,
          .target = {{"Arn", kLog}, {"RoleArn", "r"}, {"Input", "in"}}};
}

TEST_F(Delivering, AScheduleStartsItsTargetWhenItIsDue) {
  schedules_->create(schedule("rate(1 hour)"), "");
  run();
  ASSERT_THAT(sent_, SizeIs(1));  // at once
  EXPECT_EQ(sent_[0].input, "in");
  clock_.advance(minutes(59));
  run();
  EXPECT_THAT(sent_, SizeIs(1));
  clock_.advance(minutes(1));
  run();
  EXPECT_THAT(sent_, SizeIs(2));
}

TEST_F(Delivering, AMissedRunStartsOnceIfItIsYoungEnough) {
  Schedule late = schedule("rate(1 hour)");
  late.target["RetryPolicy"] = json::object{{"MaximumEventAgeInSeconds", 600}};
  schedules_->create(late, "");
  run();
  clock_.advance(hours(3) + minutes(5));
  restart();
  run();
  // Of three the last is five minutes old.
  EXPECT_THAT(sent_, SizeIs(2));
  clock_.advance(minutes(55));
  run();
  EXPECT_THAT(sent_, SizeIs(3));
  // Now the only one that was missed is too old.
  clock_.advance(minutes(75));
  restart();
  run();
  EXPECT_THAT(sent_, SizeIs(3));
  const auto told = queue_->records(queue_->arns().schedule("default", "s"), 10);
  EXPECT_EQ(told[0].status, "DEAD");
  EXPECT_EQ(told[0].error_code, "TOO_LATE");
}

TEST_F(Delivering, AScheduleGoesWhenItIsDone) {
  Schedule once = schedule("rate(1 hour)");
  once.goes_when_done = true;
  once.end = clock_.now() + minutes(90);
  schedules_->create(once, "");
  run();
  clock_.advance(hours(1));
  run();
  EXPECT_THAT(sent_, SizeIs(2));
  EXPECT_THROW((void)schedules_->schedule("default", "s"), base::Error);
}

TEST_F(Delivering, AFlexibleScheduleStartsWithinItsWindow) {
  Schedule flexible = schedule("rate(1 day)");
  flexible.start = clock_.now() + hours(1);
  flexible.window = minutes(30);
  schedules_->create(flexible, "");
  clock_.advance(hours(1) - seconds(1));
  run();
  EXPECT_THAT(sent_, SizeIs(0));
  clock_.advance(minutes(30) + seconds(1));
  run();
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(Delivering, AScheduleBeginsAtItsStartAndEndsAtItsEnd) {
  Schedule bounded = schedule("rate(1 hour)");
  bounded.start = clock_.now() + hours(1);
  bounded.end = clock_.now() + hours(2);
  schedules_->create(bounded, "");
  run();
  EXPECT_THAT(sent_, SizeIs(0));
  for (int i = 0; i < 5; ++i) {
    clock_.advance(hours(1));
    run();
  }
  EXPECT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(schedules_->schedule("default", "s").name, "s");
}

}  // namespace
}  // namespace andon::events
