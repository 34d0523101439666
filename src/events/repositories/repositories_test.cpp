// SPDX-License-Identifier: Apache-2.0
#include "events/repositories/repositories.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "events/repositories/watcher.hpp"

namespace andon::events {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

const std::string kOne(40, '1');
const std::string kTwo(40, '2');

class RepositoriesTest : public testing::Test {
 protected:
  void put(seconds interval = seconds(60), const std::string& ref = "refs/heads/main") {
    repositories_.put(
        {.name = "plant", .url = "https://forge/plant.git", .ref = ref, .interval = interval});
  }
  Repository read() { return repositories_.list("", 1).at(0); }
  std::vector<json::object> events() {
    return database_->read([](store::Transaction& tx) {
      std::vector<json::object> all;
      for (const store::Row& row : tx.query("SELECT body FROM event_inbox ORDER BY id")) {
        all.push_back(base::parse_json(row.text(0), "an event").as_object());
      }
      return all;
    });
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "db");
  Rules rules_{*database_, clock_};
  EventQueue queue_{*database_, clock_, EventArns("us-east-1", "000000000000"), rules_};
  Repositories repositories_{queue_, clock_};
};

TEST_F(RepositoriesTest, ARefThatHasMovedIsOnePush) {
  put();
  EXPECT_FALSE(repositories_.seen(read(), kOne));  // the first look
  EXPECT_FALSE(repositories_.seen(read(), kOne));
  const Repository before = read();
  EXPECT_TRUE(repositories_.seen(before, kTwo));
  // Whoever has read the row before says it again: nothing.
  EXPECT_FALSE(repositories_.seen(before, kTwo));
  ASSERT_EQ(events().size(), 1U);
  const json::object event = events().front();
  EXPECT_EQ(event.at("source"), "andon.webhooks");
  EXPECT_EQ(event.at("detail-type"), "push");
  EXPECT_EQ(event.at("resources").at(0), "arn:aws:andon:us-east-1:000000000000:repository/plant");
  const json::object& detail = event.at("detail").as_object();
  EXPECT_EQ(detail.at("ref"), "refs/heads/main");
  EXPECT_EQ(detail.at("before"), json::string(kOne));
  EXPECT_EQ(detail.at("after"), json::string(kTwo));
  EXPECT_EQ(detail.at("repository").at("clone_url"), "https://forge/plant.git");
}

TEST_F(RepositoriesTest, ARefThatGoesAndComesIsAPushEach) {
  put();
  repositories_.seen(read(), kOne);
  EXPECT_TRUE(repositories_.seen(read(), std::nullopt));
  EXPECT_TRUE(repositories_.seen(read(), kTwo));
  ASSERT_EQ(events().size(), 2U);
  EXPECT_EQ(events()[0].at("detail").at("deleted"), true);
  EXPECT_EQ(events()[1].at("detail").at("created"), true);
}

TEST_F(RepositoriesTest, WhatFailsIsAskedLaterAndLaterUpToAnHour) {
  put(seconds(60));
  const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
  for (const int pause : minutes) {
    ASSERT_EQ(repositories_.due(1).size(), 1U);
    repositories_.failed(read(), "no such host");
    clock_.advance(std::chrono::minutes(pause) - seconds(1));
    EXPECT_TRUE(repositories_.due(1).empty()) << pause;
    clock_.advance(seconds(1));
  }
  EXPECT_EQ(read().error, "no such host");
  repositories_.seen(read(), kOne);
  EXPECT_EQ(read().failures, 0);
  clock_.advance(seconds(60));
  EXPECT_EQ(repositories_.due(1).size(), 1U);
}

TEST_F(RepositoriesTest, WhatIsPutAnewKnowsItsCommitUnlessItIsAnotherRef) {
  put();
  repositories_.seen(read(), kOne);
  const Repository old = read();
  put(seconds(10));
  EXPECT_EQ(read().commit, kOne);
  EXPECT_FALSE(repositories_.seen(old, kTwo));  // an answer to what it was
  EXPECT_EQ(read().commit, kOne);
  put(seconds(10), "refs/heads/other");
  EXPECT_EQ(read().commit, std::nullopt);
  EXPECT_TRUE(events().empty());
}

TEST_F(RepositoriesTest, ARestartForgetsNothing) {
  put();
  repositories_.seen(read(), kOne);
  Repositories after(queue_, clock_);
  EXPECT_EQ(after.list("", 1).at(0).commit, kOne);
  EXPECT_TRUE(after.seen(after.list("", 1).at(0), kTwo));
}

TEST_F(RepositoriesTest, AWrongNameOrIntervalIsRefused) {
  EXPECT_THROW(put(seconds(9)), base::Error);
  EXPECT_THROW(put(seconds(86'401)), base::Error);
  EXPECT_THROW(repositories_.put({.name = "a/b", .url = "u", .ref = "HEAD"}), base::Error);
  EXPECT_THROW(repositories_.remove("none"), base::Error);
}

TEST_F(RepositoriesTest, OneThatDoesNotAnswerHoldsUpNoOther) {
  repositories_.put({.name = "stuck", .url = "u", .ref = "HEAD"});
  repositories_.put({.name = "well", .url = "u", .ref = "HEAD"});
  std::mutex mutex;
  std::condition_variable changed;
  bool may_end = false;
  bool is_well_done = false;
  RepositoryWatcher watcher(
      repositories_,
      [&](const Repository& one) -> std::optional<std::string> {
        std::unique_lock lock(mutex);
        if (one.name == "well") {
          is_well_done = true;
          changed.notify_all();
          return kOne;
        }
        changed.wait(lock, [&] { return may_end; });
        throw base::Error(base::ErrorCode::unavailable, "it was stuck");
      },
      [] {});
  watcher.run();
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, seconds(60), [&] { return is_well_done; }));
    may_end = true;
    changed.notify_all();
  }
  watcher.stop();
  EXPECT_THAT(repositories_.list("", 1).at(0).error, HasSubstr("it was stuck"));
}

}  // namespace
}  // namespace andon::events
