// SPDX-License-Identifier: Apache-2.0
#include "control/logs/logs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class LogsTest : public testing::Test {
 protected:
  void restart(LogLimits limits = {}) {
    logs_.reset();
    logs_.emplace(*database_, clock_, limits);
  }
  Logs& logs() {
    if (!logs_) restart();
    return *logs_;
  }
  void make(const std::string& group, const std::string& stream) {
    if (!logs().find_group(group)) logs().create_group({.name = group});
    logs().create_stream(group, stream);
  }
  // "0", "1" ... a second apart, up to now.
  void fill(const std::string& group, const std::string& stream, int count, std::size_t size = 1) {
    std::vector<LogLine> lines;
    for (int i = 0; i < count; ++i) {
      std::string text = std::to_string(i);
      text.resize(std::max(size, text.size()), ' ');
      lines.push_back({clock_.now() - seconds(count - 1 - i), text});
    }
    logs().put(group, stream, lines);
  }
  static std::vector<std::string> texts(const std::vector<LogEvent>& events) {
    std::vector<std::string> found;
    for (const LogEvent& event : events) found.push_back(event.message);
    return found;
  }
  std::vector<std::string> all(const std::string& group, const std::string& stream) {
    return texts(logs().read(group, stream, {}).events);
  }
  std::vector<std::string> searched(const std::string& group, LogSearch wanted = {}) {
    std::vector<std::string> found;
    while (true) {
      const LogSearchPage page = logs().search(group, wanted);
      for (const LogEvent& event : page.events) found.push_back(event.message);
      if (!page.next) return found;
      wanted.place = page.next;
    }
  }
  std::int64_t count(const std::string& table) {
    return database_->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT count(*) FROM " + table)->integer(0);
    });
  }
  std::int64_t total() {
    return database_->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT bytes FROM log_totals")->integer(0);
    });
  }
  template <typename Call>
  static ErrorCode refused(const Call& call) {
    try {
      call();
    } catch (const base::Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "it was taken";
    return ErrorCode::internal;
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "logs.db");
  std::optional<Logs> logs_;
};

TEST_F(LogsTest, WhatWasPutIsThereAfterARestart) {
  make("g", "s");
  fill("g", "s", 3);
  restart();
  EXPECT_THAT(all("g", "s"), ElementsAre("0", "1", "2"));
  const auto group = logs().find_group("g");
  EXPECT_EQ(group->bytes, 3 * 27);
  const auto streams = logs().streams("g", {}, {});
  EXPECT_EQ(streams.items.front().first, clock_.now() - seconds(2));
  EXPECT_EQ(streams.items.front().last, clock_.now());
  EXPECT_EQ(streams.items.front().ingested, clock_.now());
}

TEST_F(LogsTest, AStreamIsReadInPagesBothWays) {
  make("g", "s");
  fill("g", "s", 5);
  const LogPage last = logs().read("g", "s", {.backward = true, .limit = 2});
  EXPECT_THAT(texts(last.events), ElementsAre("3", "4"));
  const LogPage before =
      logs().read("g", "s", {.place = last.before, .backward = true, .limit = 2});
  EXPECT_THAT(texts(before.events), ElementsAre("1", "2"));
  const LogPage again = logs().read("g", "s", {.place = before.after, .limit = 10});
  EXPECT_THAT(texts(again.events), ElementsAre("3", "4"));
  const LogPage none = logs().read("g", "s", {.place = again.after});
  EXPECT_THAT(none.events, IsEmpty());
  clock_.advance(seconds(1));
  logs().put("g", "s", {{clock_.now(), "new"}});
  EXPECT_THAT(texts(logs().read("g", "s", {.place = none.after}).events), ElementsAre("new"));
}

TEST_F(LogsTest, EventsOfOneInstantAreAllRead) {
  make("g", "s");
  std::vector<LogLine> lines;
  for (int i = 0; i < 10; ++i) lines.push_back({clock_.now(), std::to_string(i)});
  logs().put("g", "s", lines);
  for (const bool backward : {false, true}) {
    LogRead wanted{.backward = backward, .limit = 3};
    std::vector<std::string> found;
    while (true) {
      const LogPage page = logs().read("g", "s", wanted);
      if (page.events.empty()) break;
      const auto some = texts(page.events);
      found.insert(backward ? found.begin() : found.end(), some.begin(), some.end());
      wanted.place = backward ? page.before : page.after;
    }
    EXPECT_THAT(found, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
  }
  EXPECT_EQ(searched("g", {.limit = 3}).size(), 10U);
}

TEST_F(LogsTest, ARangeOfTimeHoldsItsBeginAndNotItsEnd) {
  make("g", "s");
  fill("g", "s", 5);
  const std::int64_t now = base::to_epoch_millis(clock_.now());
  EXPECT_THAT(texts(logs().read("g", "s", {.range = {now - 3000, now - 1000}}).events),
              ElementsAre("1", "2"));
}

TEST_F(LogsTest, AGroupIsSearchedThroughItsStreams) {
  make("g", "a-1");
  make("g", "a-2");
  make("g", "b-1");
  logs().put("g", "a-1", {{clock_.now() - seconds(3), "ERROR one"}, {clock_.now(), "fine"}});
  logs().put("g", "a-2", {{clock_.now() - seconds(2), "ERROR two"}});
  logs().put("g", "b-1", {{clock_.now() - seconds(1), "ERROR three"}});
  EXPECT_THAT(searched("g", {.pattern = "ERROR"}),
              ElementsAre("ERROR one", "ERROR two", "ERROR three"));
  EXPECT_THAT(searched("g", {.stream_prefix = "a-", .pattern = "ERROR"}),
              ElementsAre("ERROR one", "ERROR two"));
  EXPECT_THAT(searched("g", {.streams = {"b-1", "a-1"}, .limit = 1}),
              ElementsAre("ERROR one", "ERROR three", "fine"));
  EXPECT_EQ(refused([&] { (void)logs().search("g", {.streams = {"c"}}); }), ErrorCode::not_found);
}

TEST_F(LogsTest, LinesThatAreTooOldOrTooNewAreToldAndTheOthersStored) {
  make("g", "s");
  const auto put = [&](std::vector<LogLine> lines) { return logs().put("g", "s", lines); };
  const PutOutcome old =
      put({{clock_.now() - days(14) - hours(1), "old"}, {clock_.now() - days(14) + hours(1), "x"}});
  EXPECT_EQ(old.too_old_end, 1U);
  const PutOutcome young = put({{clock_.now(), "y"}, {clock_.now() + hours(3), "young"}});
  EXPECT_EQ(young.too_new_start, 1U);
  logs().set_retention("g", 3);
  const PutOutcome expired = put(
      {{clock_.now() - days(3) - hours(1), "expired"}, {clock_.now() - days(3) + hours(1), "z"}});
  EXPECT_EQ(expired.expired_end, 1U);
  EXPECT_THAT(all("g", "s"), ElementsAre("z", "y"));  // and "x" has expired meanwhile
}

TEST_F(LogsTest, ABatchIsRefusedThatIsNotInOrderTooLargeOrTooLong) {
  make("g", "s");
  const auto now = clock_.now();
  const auto put = [&](std::vector<LogLine> lines) {
    return refused([&] { logs().put("g", "s", lines); });
  };
  EXPECT_EQ(put({}), ErrorCode::invalid_argument);
  EXPECT_EQ(put({{now, ""}}), ErrorCode::invalid_argument);
  EXPECT_EQ(put({{now, "\xFF"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(put({{now, "a"}, {now - seconds(1), "b"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(put({{now - hours(25), "a"}, {now, "b"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(put({{now, std::string(Logs::kBatchBytes, 'x')}}), ErrorCode::invalid_argument);
  EXPECT_EQ(put(std::vector<LogLine>(Logs::kBatchLines + 1, {now, "x"})),
            ErrorCode::invalid_argument);
  EXPECT_THAT(all("g", "s"), IsEmpty());
  EXPECT_EQ(refused([&] { logs().put("g", "t", {{now, "x"}}); }), ErrorCode::not_found);
  EXPECT_EQ(refused([&] { logs().put("h", "s", {{now, "x"}}); }), ErrorCode::not_found);
}

TEST_F(LogsTest, AGroupsOldestGoWhenItHasNoRoom) {
  restart({.group_bytes = 10 * 126});
  make("g", "s");
  make("h", "s");
  fill("h", "s", 1, 100);
  fill("g", "s", 25, 100);
  const auto left = all("g", "s");
  ASSERT_EQ(left.size(), 10U);
  EXPECT_TRUE(left.front().starts_with("15"));
  EXPECT_EQ(all("h", "s").size(), 1U);
  EXPECT_EQ(logs().find_group("g")->bytes, 10 * 126);
  EXPECT_EQ(total(), 11 * 126);
}

TEST_F(LogsTest, OfAllTheLargestGroupGivesWay) {
  restart({.group_bytes = 100 * 126, .total_bytes = 20 * 126});
  make("large", "s");
  make("small", "s");
  fill("large", "s", 18, 100);
  fill("small", "s", 5, 100);
  EXPECT_EQ(all("small", "s").size(), 5U);
  EXPECT_EQ(all("large", "s").size(), 15U);
  EXPECT_EQ(total(), 20 * 126);
}

TEST_F(LogsTest, WhatHasExpiredIsNotShownAndSweptAway) {
  make("g", "s");
  fill("g", "s", 3);
  logs().set_retention("g", 1);
  clock_.advance(days(1) - seconds(1));
  EXPECT_THAT(all("g", "s"), ElementsAre("1", "2"));
  EXPECT_THAT(searched("g"), ElementsAre("1", "2"));
  EXPECT_EQ(logs().sweep(500), 1);
  clock_.advance(days(3));
  EXPECT_EQ(logs().sweep(500), 3);  // the two, and the stream that is empty since
  EXPECT_EQ(logs().find_group("g")->bytes, 0);
  EXPECT_EQ(logs().sweep(500), 0);
  logs().create_stream("g", "never written");
  clock_.advance(days(300));
  EXPECT_EQ(logs().sweep(500), 0);
}

TEST_F(LogsTest, GroupsWithoutARetentionTakeTheServersOwn) {
  restart({.keep = days(7)});
  make("g", "s");
  fill("g", "s", 2);
  make("own", "s");
  logs().set_retention("own", 30);
  fill("own", "s", 2);
  clock_.advance(days(8));
  EXPECT_THAT(all("g", "s"), IsEmpty());
  EXPECT_EQ(all("own", "s").size(), 2U);
}

TEST_F(LogsTest, WhatWasDeletedIsGoneAtOnceAndItsRoomStepByStep) {
  make("g", "s");
  make("g", "t");
  make("h", "s");
  fill("g", "s", 10);
  fill("g", "t", 10);
  fill("h", "s", 10);
  logs().remove_stream("g", "t");
  EXPECT_EQ(searched("g").size(), 10U);
  logs().remove_group("g");
  EXPECT_EQ(refused([&] { (void)searched("g"); }), ErrorCode::not_found);
  make("g", "s");
  EXPECT_THAT(all("g", "s"), IsEmpty());
  EXPECT_EQ(logs().sweep(15), 15);
  EXPECT_EQ(count("log_events"), 15);
  while (logs().sweep(15) > 0) {
  }
  EXPECT_EQ(count("log_events"), 10);
  EXPECT_EQ(count("log_remains"), 0);
  EXPECT_EQ(count("log_streams"), 2);
  EXPECT_EQ(total(), 10 * 27);
  EXPECT_EQ(logs().find_group("h")->bytes, 10 * 27);
}

TEST_F(LogsTest, WhoFillsAndDeletesGroupsDoesNotOutgrowTheLimit) {
  for (int i = 0; i < 30; ++i) {
    make("g", "s");
    fill("g", "s", 100);
    logs().remove_group("g");
  }
  EXPECT_LE(count("log_events"), 300);
}

TEST_F(LogsTest, StreamsAreListedByNameAndByTheirLastEvent) {
  for (const char* name : {"a1", "a2", "b"}) make("g", name);
  fill("g", "b", 1);
  clock_.advance(seconds(1));
  fill("g", "a1", 1);
  const auto names = [&](const LogStreamFilter& filter) {
    std::vector<std::string> found;
    PageRequest page{.limit = 1};
    while (true) {
      const auto listed = logs().streams("g", filter, page);
      for (const LogStream& stream : listed.items) found.push_back(stream.name);
      if (!listed.next) return found;
      page.after = *listed.next;
    }
  };
  EXPECT_THAT(names({}), ElementsAre("a1", "a2", "b"));
  EXPECT_THAT(names({.descending = true}), ElementsAre("b", "a2", "a1"));
  EXPECT_THAT(names({.prefix = "a", .descending = true}), ElementsAre("a2", "a1"));
  EXPECT_THAT(names({.by_last_event = true}), ElementsAre("a2", "b", "a1"));
  EXPECT_THAT(names({.by_last_event = true, .descending = true}), ElementsAre("a1", "b", "a2"));
}

TEST_F(LogsTest, ThereIsALimitToGroupsAndStreams) {
  restart({.groups = 1, .streams = 2});
  make("g", "a");
  make("g", "b");
  EXPECT_EQ(refused([&] { make("g", "c"); }), ErrorCode::resource_exhausted);
  EXPECT_EQ(refused([&] { make("h", "a"); }), ErrorCode::resource_exhausted);
  EXPECT_EQ(refused([&] { logs().create_group({.name = "g"}); }), ErrorCode::already_exists);
  EXPECT_EQ(refused([&] { logs().create_stream("g", "a"); }), ErrorCode::already_exists);
}

TEST_F(LogsTest, NamesAreThoseThatAwsTakes) {
  EXPECT_EQ(refused([&] { logs().create_group({.name = "a b"}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(refused([&] { logs().create_group({.name = std::string(513, 'x')}); }),
            ErrorCode::invalid_argument);
  logs().create_group({.name = "/aws/x.y-z_#1"});
  for (const char* bad : {"", "a:b", "a*", "a\nb", "\xFF"}) {
    EXPECT_EQ(refused([&] { logs().create_stream("/aws/x.y-z_#1", bad); }),
              ErrorCode::invalid_argument);
  }
  logs().create_stream("/aws/x.y-z_#1", "2026/11/29/[$LATEST]ab cd");
}

}  // namespace
}  // namespace andon::control
