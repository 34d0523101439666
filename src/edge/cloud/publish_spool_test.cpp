// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/publish_spool.hpp"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <thread>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "edge/testing/settle.hpp"
#include "fleet/messages/result_message.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using wire::PublishOutcome;

class PublishSpoolTest : public testing::Test {
 protected:
  std::unique_ptr<PublishSpool> open(std::uint64_t max_bytes = 10'000) {
    return std::make_unique<PublishSpool>(loop_, link_, *database_, writer_, clock_,
                                          SpoolLimits{.max_bytes = max_bytes,
                                                      .first_retry = milliseconds{10},
                                                      .longest_retry = milliseconds{20},
                                                      .window_bytes = window_bytes_});
  }
  // Each of these lets all that follows come to its end.
  void add(PublishSpool& spool, const std::string& topic, const std::string& payload) {
    spool.add({topic, payload}, {}, {});
    settle(loop_, writer_);
  }
  std::int64_t rows_of(const std::string& component) {
    std::int64_t rows = 0;
    database_->read([&](store::Transaction& transaction) {
      rows = transaction.query_one("SELECT count(*) FROM spool WHERE component = $1", {component})
                 .value()
                 .integer(0);
    });
    return rows;
  }
  void connect(bool up) {
    link_.connect(up);
    settle(loop_, writer_);
  }
  void end_first(PublishOutcome outcome) {
    link_.settle(outcome);
    settle(loop_, writer_);
  }
  void wait(milliseconds time) {
    loop_clock_.advance(time);
    settle(loop_, writer_);
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
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  StateWriter writer_{loop_, *database_};
  FakeMqttLink link_;
  std::size_t window_bytes_ = 100'000;
};

TEST_F(PublishSpoolTest, AMessageKeepsItsPropertiesOverARestart) {
  wire::MqttPublishProperties properties;
  properties.retain = true;
  properties.message_expiry_seconds = 60;
  properties.content_type = "image/jpeg";
  properties.response_topic = "answers";
  properties.correlation_data = std::string("\xff\x00\xfe", 3);
  properties.is_utf8_text = true;
  properties.user_properties = {{"line", "3"}, {"line", "4"}};
  {
    auto spool = open();
    spool->add({"a", "1"}, properties, {});
    settle(loop_, writer_);
  }
  const auto again = open();
  connect(true);
  ASSERT_EQ(link_.published.size(), 1U);
  const wire::MqttPublishProperties& sent = link_.published.front().properties;
  EXPECT_TRUE(sent.retain);
  EXPECT_EQ(sent.content_type, "image/jpeg");
  EXPECT_EQ(sent.response_topic, "answers");
  EXPECT_EQ(sent.correlation_data, properties.correlation_data);
  EXPECT_EQ(sent.is_utf8_text, properties.is_utf8_text);
  EXPECT_EQ(sent.user_properties, properties.user_properties);
}

TEST_F(PublishSpoolTest, WhatMayNotGoOutLeavesAndIsCountedAlsoOverARestart) {
  auto spool = open(1'000'000);
  connect(true);
  for (int i = 0; i < 200; ++i) add(*spool, "mine", std::to_string(i));
  add(*spool, "other", "x");
  end_first(PublishOutcome::refused);
  EXPECT_EQ(spool->refused(), 0) << "a limit refuses, too, and not for good";
  spool->refuse("mine");
  settle(loop_, writer_);
  EXPECT_EQ(spool->refused(), 200);
  EXPECT_EQ(in_flight(), (Texts{"x"}));
  wait(milliseconds{20});
  EXPECT_EQ(in_flight(), (Texts{"x"}));
  add(*spool, "mine", "later");
  EXPECT_EQ(in_flight(), (Texts{"x", "later"}));
  end_first(PublishOutcome::delivered);
  spool->refuse("mine");  // while it is on its way
  settle(loop_, writer_);
  end_first(PublishOutcome::refused);
  wait(milliseconds{20});
  EXPECT_TRUE(in_flight().empty());
  EXPECT_EQ(spool->bytes(), 0U);
  spool.reset();
  link_.forget_listeners();
  settle(loop_, writer_);
  EXPECT_EQ(open()->refused(), 201);
}

TEST_F(PublishSpoolTest, KeepsTheOrderWithinATopicAndSendsTopicsSideBySide) {
  const auto spool = open();
  connect(true);
  add(*spool, "a", "1");
  add(*spool, "a", "2");
  add(*spool, "b", "3");
  EXPECT_EQ(in_flight(), (Texts{"1", "3"}));
  end_first(PublishOutcome::delivered);
  EXPECT_EQ(in_flight(), (Texts{"3", "2"}));
  end_first(PublishOutcome::delivered);
  end_first(PublishOutcome::delivered);
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(PublishSpoolTest, WhatWasAddedOfflineGoesOutAfterARestart) {
  add(*open(), "a", "1");
  const auto spool = open();
  EXPECT_GT(spool->bytes(), 0U);
  EXPECT_TRUE(in_flight().empty());
  connect(true);
  EXPECT_EQ(in_flight(), Texts{"1"});
}

TEST_F(PublishSpoolTest, AMessageThatNobodyReadsIsTriedAgainAndHoldsBackItsTopic) {
  const auto spool = open();
  connect(true);
  add(*spool, "a", "1");
  end_first(PublishOutcome::no_subscribers);
  add(*spool, "a", "2");
  EXPECT_TRUE(in_flight().empty());
  wait(milliseconds{9});
  EXPECT_TRUE(in_flight().empty());
  wait(milliseconds{1});
  EXPECT_EQ(in_flight(), Texts{"1"});
}

TEST_F(PublishSpoolTest, WhatWasInFlightWhenTheConnectionBrokeIsSentAgain) {
  const auto spool = open();
  connect(true);
  add(*spool, "a", "1");
  connect(false);
  end_first(PublishOutcome::timed_out);
  wait(milliseconds{50});
  EXPECT_TRUE(in_flight().empty());
  connect(true);
  EXPECT_EQ(in_flight(), Texts{"1"});
}

TEST_F(PublishSpoolTest, WhatWasDeliveredJustBeforeTheConnectionBrokeIsSentAgainInOrder) {
  const auto spool = open();
  connect(true);
  for (const char* text : {"1", "2"}) {
    add(*spool, "a", text);
    end_first(PublishOutcome::delivered);
  }
  EXPECT_EQ(spool->bytes(), 0U);
  connect(false);
  add(*spool, "a", "3");
  connect(true);
  for (const char* text : {"1", "2", "3"}) {
    EXPECT_EQ(in_flight(), Texts{text});
    end_first(PublishOutcome::delivered);
  }
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(PublishSpoolTest, WhatWasDeliveredLongBeforeTheConnectionBrokeIsNotSentAgain) {
  const auto spool = open();
  connect(true);
  add(*spool, "a", "1");
  end_first(PublishOutcome::delivered);
  loop_clock_.advance(std::chrono::seconds{11});
  connect(false);
  connect(true);
  EXPECT_TRUE(in_flight().empty());
}

TEST_F(PublishSpoolTest, AFullSpoolDropsTheOldestAndCounts) {
  const auto spool = open(1000);
  for (int i = 0; i < 10; ++i) add(*spool, "a", std::to_string(i) + std::string(200, 'x'));
  EXPECT_LE(spool->bytes(), 1000U);
  EXPECT_EQ(spool->dropped(), 7);
  connect(true);
  EXPECT_EQ(in_flight().front().front(), '7');
  EXPECT_THROW(spool->add({"a", std::string(2000, 'x')}, {}, {}), base::Error);
}

TEST_F(PublishSpoolTest, AFullSpoolThatIsFilledAtOnceDropsTheSameMessages) {
  const auto spool = open(1000);
  for (int i = 0; i < 10; ++i) {
    spool->add({"a", std::to_string(i) + std::string(200, 'x')}, {}, {});
  }
  settle(loop_, writer_);
  EXPECT_LE(spool->bytes(), 1000U);
  EXPECT_EQ(spool->dropped(), 7);
  connect(true);
  EXPECT_EQ(in_flight().front().front(), '7');
}

TEST_F(PublishSpoolTest, AFullSpoolDropsFromTheComponentThatTakesUpMostOfIt) {
  const auto spool = open(2000);
  for (int i = 0; i < 3; ++i) {
    spool->add({"results", "result " + std::to_string(i) + std::string(90, 'x')}, {}, {},
               "inspect");
  }
  for (int i = 0; i < 50; ++i) {
    spool->add({"chat", std::to_string(i) + std::string(200, 'x')}, {}, {}, "chatty");
    settle(loop_, writer_);
  }
  EXPECT_LE(spool->bytes(), 2000U);
  EXPECT_EQ(rows_of("inspect"), 3);
  EXPECT_GT(rows_of("chatty"), 2);
  EXPECT_EQ(spool->dropped(), 50 - rows_of("chatty"));
}

TEST_F(PublishSpoolTest, TwoComponentsThatBothFillTheSpoolHaveHalfOfItEach) {
  const auto spool = open(4000);
  for (int i = 0; i < 40; ++i) spool->add({"a", std::string(100, 'x')}, {}, {}, "one");
  for (int i = 0; i < 40; ++i) spool->add({"b", std::string(100, 'x')}, {}, {}, "two");
  settle(loop_, writer_);
  EXPECT_LE(spool->bytes(), 4000U);
  EXPECT_NEAR(static_cast<double>(rows_of("one")), static_cast<double>(rows_of("two")), 2);
}

TEST_F(PublishSpoolTest, WhatIsDroppedWhileItIsOnItsWayIsCountedOnceAndNotSentAgain) {
  const auto spool = open(1000);
  connect(true);
  for (int i = 0; i < 4; ++i) add(*spool, "a", std::to_string(i) + std::string(200, 'x'));
  EXPECT_EQ(spool->dropped(), 1);
  const std::uint64_t waiting = spool->bytes();
  end_first(PublishOutcome::no_subscribers);
  wait(milliseconds{20});
  EXPECT_EQ(spool->bytes(), waiting);
  EXPECT_EQ(in_flight().front().front(), '1');
}

TEST_F(PublishSpoolTest, AComponentIsAnsweredOnlyWhenItsMessageIsOnTheDisk) {
  const auto spool = open();
  // Somebody else has the disk: nothing can be written until it is given free.
  std::promise<void> has_disk;
  std::promise<void> give_free;
  std::thread other([&] {
    database_->write([&](store::Transaction&) {
      has_disk.set_value();
      give_free.get_future().wait();
    });
  });
  has_disk.get_future().wait();
  bool answered = false;
  spool->add({"a", "1"}, {}, [&](const std::exception_ptr& error) {
    EXPECT_EQ(error, nullptr);
    answered = true;
  });
  EXPECT_FALSE(loop_.run_until([&] { return answered; }, milliseconds{20}));
  give_free.set_value();
  other.join();
  ASSERT_TRUE(loop_.run_until([&] { return answered; }, milliseconds{20'000}));
  std::int64_t rows = 0;
  database_->read([&](store::Transaction& transaction) {
    rows = transaction.query_one("SELECT count(*) FROM spool").value().integer(0);
  });
  EXPECT_EQ(rows, 1);
}

TEST_F(PublishSpoolTest, WhatTheDiskRefusesIsToldAndNotCounted) {
  const auto spool = open();
  database_->write([](store::Transaction& transaction) {
    transaction.execute(
        "CREATE TRIGGER full BEFORE INSERT ON spool BEGIN SELECT RAISE(ABORT, 'full'); END");
  });
  std::exception_ptr got;
  spool->add({"a", "1"}, {}, [&](const std::exception_ptr& error) { got = error; });
  settle(loop_, writer_);
  EXPECT_NE(got, nullptr);
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(PublishSpoolTest, KeepsTheOrderOfMoreThanItHoldsInMemory) {
  window_bytes_ = 1000;  // a few messages
  const auto spool = open(10'000'000);
  const int count = 300;
  connect(true);
  for (int i = 0; i < count / 2; ++i) spool->add({"a", std::to_string(i)}, {}, {});
  settle(loop_, writer_);
  std::vector<std::string> sent;
  int added = count / 2;
  while (!link_.published.empty()) {
    sent.push_back(in_flight().front());
    if (added < count) spool->add({"a", std::to_string(added++)}, {}, {});
    link_.settle(PublishOutcome::delivered);
    if (link_.published.empty()) settle(loop_, writer_);
  }
  ASSERT_EQ(std::ssize(sent), count);
  for (int i = 0; i < count; ++i) EXPECT_EQ(sent[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(PublishSpoolTest, DeliveredMessagesLeaveTheDisk) {
  {
    const auto spool = open();
    connect(true);
    for (int i = 0; i < 300; ++i) spool->add({"a", "x"}, {}, {});
    settle(loop_, writer_);
    while (!link_.published.empty()) {
      link_.settle(PublishOutcome::delivered);
      if (link_.published.empty()) settle(loop_, writer_);
    }
    wait(milliseconds{250});
    loop_clock_.advance(std::chrono::seconds{11});
    add(*spool, "a", "last");
    end_first(PublishOutcome::delivered);
    wait(milliseconds{250});
    std::int64_t rows = -1;
    database_->read([&](store::Transaction& transaction) {
      rows = transaction.query_one("SELECT count(*) FROM spool").value().integer(0);
    });
    EXPECT_EQ(rows, 1);  // the last, for a connection that breaks
  }
  settle(loop_, writer_);
  EXPECT_EQ(open()->bytes(), 0U);
}

// ---- results, which are kept until they are stored

constexpr const char* kResults = "andon/things/line-1/results";

class ResultSpoolTest : public PublishSpoolTest {
 protected:
  std::unique_ptr<PublishSpool> open_results(std::uint64_t max_bytes = 1'000'000) {
    auto spool = open(max_bytes);
    spool->keep_until_stored("line-1", *database_);
    return spool;
  }
  void stored(const std::string& consumer, const std::vector<std::string>& payloads) {
    std::vector<std::string> digests;
    for (const std::string& one : payloads) digests.push_back(trust::sha256_hex(one));
    link_.arrive("cmd/andon/line-1/stored/" + consumer, fleet::make_stored_message(digests));
    wait(milliseconds{250});  // they are written together
  }
  // All that goes out without further word.
  Texts deliver_all() {
    Texts sent;
    while (!link_.published.empty()) {
      sent.push_back(in_flight().front());
      end_first(PublishOutcome::delivered);
    }
    return sent;
  }
  void pass(std::chrono::seconds time) {
    clock_.advance(time);
    wait(time);
  }
};

TEST_F(ResultSpoolTest, AResultLeavesWhenItsConsumerHasStoredIt) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  add(*spool, kResults, "1");
  add(*spool, kResults, "2");
  EXPECT_EQ(deliver_all(), (Texts{"1", "2"}));  // the second does not wait for word of the first
  const std::uint64_t both = spool->bytes();
  EXPECT_GT(both, 0U);
  stored("server", {"1"});
  EXPECT_EQ(spool->bytes(), both / 2);
  stored("server", {"2"});
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, EachConsumerThatIsNamedMustHaveIt) {
  const auto spool = open_results();
  spool->set_result_consumers({"server", "mes"});
  connect(true);
  add(*spool, kResults, "1");
  deliver_all();
  for (const char* consumer : {"server", "server", "another"}) {
    stored(consumer, {"1"});
    EXPECT_GT(spool->bytes(), 0U);
  }
  stored("mes", {"1"});
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, WordOfAnotherMessageOrNoneOfThatFormChangesNothing) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  add(*spool, kResults, "1");
  deliver_all();
  stored("server", {"2"});
  for (const char* text : {"", "{}", R"({"stored": [7]})", R"({"stored": ["1"]})"}) {
    link_.arrive("cmd/andon/line-1/stored/server", text);
  }
  link_.arrive("cmd/andon/line-1/stored/a/b", fleet::make_stored_message({trust::sha256_hex("1")}));
  wait(milliseconds{250});
  EXPECT_GT(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, OtherTopicsDoNotWaitForConsumers) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  add(*spool, "dt/app/line-1/x", "1");
  deliver_all();
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, AServerThatNamesNobodyIsServedAsBefore) {
  const auto spool = open_results();
  connect(true);
  add(*spool, kResults, "1");
  deliver_all();
  EXPECT_GT(spool->bytes(), 0U);  // nobody has said so far
  spool->set_result_consumers({});
  settle(loop_, writer_);
  EXPECT_EQ(spool->bytes(), 0U);
  add(*spool, kResults, "2");
  end_first(PublishOutcome::no_subscribers);
  EXPECT_GT(spool->bytes(), 0U);
  wait(milliseconds{10});
  deliver_all();
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, WhatIsNotStoredInTimeIsSentAgainMoreAndMoreSeldom) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  wait(milliseconds{10});  // the look after a connection
  for (const char* text : {"1", "2", "3"}) add(*spool, kResults, text);
  deliver_all();
  wait(milliseconds{250});
  pass(std::chrono::seconds{10});
  EXPECT_EQ(deliver_all(), Texts{"1"});  // one is enough to ask
  pass(std::chrono::seconds{10});
  EXPECT_EQ(deliver_all(), Texts{"1"});
  pass(std::chrono::seconds{10});
  EXPECT_EQ(deliver_all(), Texts{});
  pass(std::chrono::seconds{10});
  EXPECT_EQ(deliver_all(), Texts{"1"});
}

TEST_F(ResultSpoolTest, AConsumerThatIsBackGetsAllThatItLacksInOrder) {
  const auto spool = open_results();
  spool->set_result_consumers({"server", "mes"});
  connect(true);
  wait(milliseconds{10});
  Texts all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::to_string(i));
    add(*spool, kResults, all.back());
  }
  EXPECT_EQ(deliver_all(), all);
  stored("server", all);
  pass(std::chrono::seconds{60});
  Texts again;
  for (int round = 0; round < 10 && spool->bytes() > 0; ++round) {
    const Texts some = deliver_all();
    again.insert(again.end(), some.begin(), some.end());
    wait(milliseconds{250});
    stored("mes", some);
  }
  EXPECT_EQ(spool->bytes(), 0U);
  EXPECT_EQ(again, all);
}

TEST_F(ResultSpoolTest, NewResultsGoOutWhileAConsumerIsAway) {
  const auto spool = open_results();
  spool->set_result_consumers({"server", "mes"});
  connect(true);
  for (int i = 0; i < 5; ++i) {
    add(*spool, kResults, "a" + std::to_string(i));
    EXPECT_EQ(deliver_all(), Texts{"a" + std::to_string(i)});
  }
}

TEST_F(ResultSpoolTest, WhatIsWaitedForOutlivesARestart) {
  {
    const auto spool = open_results();
    spool->set_result_consumers({"server"});
    connect(true);
    add(*spool, kResults, "1");
    deliver_all();
    wait(milliseconds{250});
  }
  link_.forget_listeners();
  connect(false);
  clock_.advance(std::chrono::seconds{60});
  const auto spool = open_results();
  EXPECT_EQ(spool->result_consumers(), std::vector<std::string>{"server"});
  EXPECT_GT(spool->bytes(), 0U);
  connect(true);
  EXPECT_EQ(deliver_all(), Texts{});
  wait(milliseconds{10});  // an older one is asked after
  EXPECT_EQ(deliver_all(), Texts{"1"});
  stored("server", {"1"});
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, WhatWasSentJustBeforeTheConnectionBrokeIsSentAgain) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  add(*spool, kResults, "1");
  add(*spool, kResults, "2");
  deliver_all();
  const std::uint64_t waiting = spool->bytes();
  connect(false);
  connect(true);
  EXPECT_EQ(deliver_all(), (Texts{"1", "2"}));
  EXPECT_EQ(spool->bytes(), waiting);
  stored("server", {"1", "2"});
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, WordThatComesBeforeItIsSentAgainSparesThat) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  for (const char* text : {"1", "2"}) add(*spool, kResults, text);
  deliver_all();
  connect(false);
  connect(true);
  EXPECT_EQ(in_flight(), Texts{"1"});
  stored("server", {"1", "2"});
  EXPECT_EQ(spool->bytes(), 0U);
  EXPECT_EQ(deliver_all(), Texts{"1"});  // it was on its way
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, AFullSpoolDropsWhatIsWaitedForToo) {
  const auto spool = open_results(1000);
  spool->set_result_consumers({"server"});
  connect(true);
  for (int i = 0; i < 10; ++i) {
    add(*spool, kResults, std::to_string(i) + std::string(200, 'x'));
    deliver_all();
  }
  EXPECT_LE(spool->bytes(), 1000U);
  EXPECT_GT(spool->dropped(), 5);
}

TEST_F(ResultSpoolTest, AConsumerThatIsNoLongerNamedIsNotWaitedFor) {
  const auto spool = open_results();
  spool->set_result_consumers({"server", "mes"});
  connect(true);
  add(*spool, kResults, "1");
  deliver_all();
  stored("server", {"1"});
  EXPECT_GT(spool->bytes(), 0U);
  spool->set_result_consumers({"server"});
  settle(loop_, writer_);
  EXPECT_EQ(spool->bytes(), 0U);
}

TEST_F(ResultSpoolTest, AClockThatWasSetBackDoesNotKeepAResultFromBeingSentAgain) {
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  wait(milliseconds{10});
  clock_.advance(std::chrono::hours{24});
  add(*spool, kResults, "1");
  deliver_all();
  wait(milliseconds{250});
  clock_.advance(-std::chrono::hours{24});
  wait(std::chrono::seconds{10});
  EXPECT_EQ(deliver_all(), Texts{"1"});
}

TEST_F(ResultSpoolTest, ResultsOfAnAgentThatKeptNoDigestsAreKeptUntilStoredToo) {
  add(*open(), kResults, "1");  // as before there were consumers
  const auto spool = open_results();
  spool->set_result_consumers({"server"});
  connect(true);
  settle(loop_, writer_);
  EXPECT_EQ(deliver_all(), Texts{"1"});
  stored("server", {"1"});
  EXPECT_EQ(spool->bytes(), 0U);
}

// ---- clocks that jump, a broker that is away

TEST_F(PublishSpoolTest, AClockThatJumpsNeitherForgetsWhatWasDeliveredNorSendsItAgainForEver) {
  const auto spool = open();
  connect(true);
  add(*spool, "a", "1");
  end_first(PublishOutcome::delivered);
  clock_.advance(std::chrono::hours{24 * 3650});
  connect(false);
  connect(true);
  EXPECT_EQ(in_flight(), Texts{"1"}) << "the broker may have died with it";
  end_first(PublishOutcome::delivered);
  clock_.advance(-std::chrono::hours{24 * 7300});
  wait(std::chrono::seconds{11});
  connect(false);
  connect(true);
  EXPECT_TRUE(in_flight().empty());
}

// A result of 300 bytes every ten seconds for thirty days, in virtual time, on six topics: the
// spool is full after a day and a half.
TEST_F(PublishSpoolTest, ABrokerThatIsAwayForAMonthCostsTheOldestMessagesAndNothingElse) {
  constexpr int kMessages = 30 * 24 * 360;
  constexpr std::uint64_t kCap = 4U << 20U;
  const auto spool = open(kCap);
  const auto name = [](int number) { return std::to_string(number) + std::string(292, 'x'); };
  std::uint64_t longest = 0;
  for (int i = 0; i < kMessages; ++i) {
    spool->add({"dt/" + std::to_string(i % 6), name(i)}, {}, {});
    if (i % 360 != 0) continue;
    clock_.advance(std::chrono::hours{1});
    loop_clock_.advance(std::chrono::hours{1});
    settle(loop_, writer_);
    longest = std::max(longest, spool->bytes());
  }
  settle(loop_, writer_);
  EXPECT_LE(longest, kCap);
  EXPECT_GT(spool->bytes(), kCap * 9 / 10);
  const auto kept = kMessages - spool->dropped();
  EXPECT_GT(kept, 9000);
  std::uintmax_t on_disk = 0;
  for (const auto& file : base::fs::directory_iterator(directory_.path())) {
    on_disk += file.file_size();
  }
  EXPECT_LT(on_disk, 4 * kCap);  // with pages that are partly free, and the write-ahead log

  connect(true);
  std::map<std::string, int> last;
  std::int64_t delivered = 0;
  while (!link_.published.empty()) {
    const auto& message = link_.published.front().message;
    const int number = std::stoi(message.payload);
    EXPECT_GE(number, kMessages - kept) << "one that was dropped";
    const auto before = last.find(message.topic);
    EXPECT_TRUE(before == last.end() || before->second + 6 == number) << number;
    last[message.topic] = number;
    ++delivered;
    link_.settle(PublishOutcome::delivered);
    if (link_.published.empty()) settle(loop_, writer_);
  }
  EXPECT_EQ(delivered, kept);
  EXPECT_EQ(spool->bytes(), 0U);
}

}  // namespace
}  // namespace andon::edge
