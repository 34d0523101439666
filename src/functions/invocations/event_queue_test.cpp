// SPDX-License-Identifier: Apache-2.0
// Events on a clock that the test turns, with a function that answers as the test says.
#include "functions/invocations/event_queue.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::functions {
namespace {

constexpr const char* kGroup = "arn:aws:logs:us-east-1:000000000000:log-group:letters:*";

class EventQueueTest : public testing::Test {
 protected:
  EventQueueTest() {
    registry_.create("ship", {{"Runtime", "python3.12"}}, {"00", 1});
    registry_.prepared("ship", {"00", 1});
    begin();
  }

  void begin() {
    queue_ = std::make_unique<EventQueue>(
        *database_, registry_, settings_, clock_,
        [this](const Resolved& /*function*/, const Invocation& call,
               const std::function<void(CallEnd)>& done) {
          const std::lock_guard lock(mutex_);
          calls_.push_back(call.payload);
          if (is_silent_) {
            kept_.push_back(done);
          } else {
            done(end_);
          }
          changed_.notify_all();
        },
        [this](const std::string& group, const std::string& text) {
          const std::lock_guard lock(mutex_);
          EXPECT_EQ(group, kGroup);
          records_.push_back(text);
          changed_.notify_all();
        },
        EventOptions{.most_at_once = 4, .glance = std::chrono::milliseconds(5)});
  }

  template <typename Condition>
  void wait_for(const Condition& condition) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), condition));
  }
  void wait_for_calls(std::size_t count) {
    wait_for([this, count] { return calls_.size() >= count; });
  }
  // What is settled is seen in the table alone.
  void wait_for_waiting(std::int64_t count) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (queue_->waiting() != count) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::yield();
    }
  }
  void wait_for_attempts(std::int64_t attempts) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const auto now = [this] {
      return database_->read([](store::Transaction& tx) {
        return tx.query_one("SELECT MAX(attempts + postponed) FROM function_events")->integer(0);
      });
    };
    while (now() < attempts) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::yield();
    }
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_;
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "db");
  Registry registry_{*database_, clock_, fleet::Arns()};
  Settings settings_{*database_, clock_, fleet::Arns()};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> calls_;
  std::vector<std::string> records_;
  std::vector<std::function<void(CallEnd)>> kept_;
  CallEnd end_;
  bool is_silent_ = false;
  std::unique_ptr<EventQueue> queue_;
};

TEST_F(EventQueueTest, AnEventIsOverWhenTheFunctionHasTakenIt) {
  queue_->add({.ref = {"ship", ""}, .payload = "1"});
  wait_for_calls(1);
  wait_for_waiting(0);
  EXPECT_EQ(calls_, std::vector<std::string>{"1"});
}

TEST_F(EventQueueTest, AFailedOneIsTriedAgainAfterOneAndTwoMinutesAndThenItsRecordIsWritten) {
  EventConfig config{.function = "ship", .qualifier = "$LATEST"};
  config.on_failure = kGroup;
  settings_.put_event_config(config);
  end_ = {.kind = CallEnd::Kind::failed, .payload = R"({"errorType":"E"})"};
  queue_->add({.ref = {"ship", ""}, .payload = "{}"});
  wait_for_attempts(1);
  clock_.advance(std::chrono::seconds(59));
  queue_->wake();
  EXPECT_EQ(calls_.size(), 1U);
  clock_.advance(std::chrono::seconds(1));
  wait_for_attempts(2);
  clock_.advance(std::chrono::seconds(119));
  queue_->wake();
  EXPECT_EQ(calls_.size(), 2U);
  clock_.advance(std::chrono::seconds(1));
  wait_for([this] { return records_.size() == 1; });
  EXPECT_EQ(calls_.size(), 3U);
  wait_for_waiting(0);
  const auto record = base::parse_json(records_[0], "record");
  EXPECT_EQ(record.at_pointer("/requestContext/condition").as_string(), "RetriesExhausted");
  EXPECT_EQ(record.at_pointer("/requestContext/approximateInvokeCount").as_int64(), 3);
  EXPECT_EQ(record.at_pointer("/responsePayload/errorType").as_string(), "E");
}

TEST_F(EventQueueTest, OneThatFindsNoRoomWaitsLongerAndLongerUntilItIsTooOld) {
  EventConfig config{.function = "ship", .qualifier = "$LATEST"};
  config.most_age_s = 60;
  config.on_failure = kGroup;
  settings_.put_event_config(config);
  end_ = {.kind = CallEnd::Kind::throttled, .text = "ConcurrentInvocationLimitExceeded"};
  queue_->add({.ref = {"ship", ""}, .payload = "{}"});
  std::int64_t attempts = 0;
  for (const int pause : {1, 2, 4, 8, 16}) {
    wait_for_attempts(++attempts);
    clock_.advance(std::chrono::seconds(pause));
  }
  wait_for([this] { return records_.size() == 1; });
  EXPECT_NE(records_[0].find("EventAgeExceeded"), std::string::npos);
  EXPECT_EQ(calls_.size(), 6U);
}

TEST_F(EventQueueTest, WithNothingReservedItGoesStraightToItsDeadLetter) {
  registry_.change_config("ship", {{"DeadLetterConfig", base::json::object{{"TargetArn", kGroup}}}},
                          {});
  registry_.reserve("ship", 0);
  end_ = {.kind = CallEnd::Kind::throttled, .text = "ReservedFunctionConcurrent..."};
  queue_->add({.ref = {"ship", ""}, .payload = R"({"n":1})"});
  wait_for([this] { return records_.size() == 1; });
  EXPECT_NE(records_[0].find(R"("Event":{"n":1})"), std::string::npos) << records_[0];
  wait_for_waiting(0);
}

TEST_F(EventQueueTest, WhatWasUnderWayWhenTheProgramEndedIsCalledByTheNextOne) {
  is_silent_ = true;
  for (int i = 0; i < 6; ++i) queue_->add({.ref = {"ship", ""}, .payload = std::to_string(i)});
  wait_for_calls(4);
  EXPECT_EQ(queue_->waiting(), 6);
  queue_.reset();
  is_silent_ = false;
  calls_.clear();
  begin();
  wait_for_calls(6);
  wait_for_waiting(0);
}

TEST_F(EventQueueTest, OneOfAFunctionThatIsGoneIsDropped) {
  is_silent_ = true;
  registry_.remove("ship");
  queue_->add({.ref = {"ship", ""}, .payload = "1"});
  wait_for_waiting(0);
  EXPECT_TRUE(calls_.empty());
}

TEST_F(EventQueueTest, TooLargeOnesAreRefused) {
  EXPECT_THROW(
      queue_->add({.ref = {"ship", ""}, .payload = std::string(EventQueue::kMostPayload + 1, 'x')}),
      base::Error);
}

}  // namespace
}  // namespace andon::functions
