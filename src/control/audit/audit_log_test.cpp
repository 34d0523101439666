// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AuditLogTest : public testing::Test {
 protected:
  AuditLog& log() {
    if (!log_) open();
    return *log_;
  }
  void open() {
    log_.reset();
    log_ = std::make_unique<AuditLog>(*database, clock,
                                      AuditOptions{.key = "key",
                                                   .limits = limits,
                                                   .anchor_file = directory.path() / "anchor.json",
                                                   .on_recorded = [this](const AuditEntry& entry) {
                                                     recorded.push_back(entry.sequence);
                                                   }});
  }
  void close() { log_.reset(); }

  [[nodiscard]] AuditEvent event(const std::string& operation, const std::string& who = "eva",
                                 std::vector<std::string> resources = {"arn:x"}) const {
    return {.time = clock.now(),
            .via = "api",
            .principal = "user/" + who,
            .name = who,
            .access_key_id = "AKIA" + who,
            .address = "10.0.0.1",
            .region = "us-east-1",
            .service = "iot",
            .operation = operation,
            .resources = std::move(resources)};
  }
  std::vector<std::string> operations(const AuditRead& read) {
    std::vector<std::string> all;
    for (const AuditEntry& entry : log().list(read).entries) all.push_back(entry.event.operation);
    return all;
  }
  // The database refuses every write from now on.
  void fill_the_disk() {
    database->write([](store::Transaction& tx) {
      tx.execute(
          "CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'full'); "
          "END");
    });
  }
  void empty_the_disk() {
    database->write([](store::Transaction& tx) { tx.execute("DROP TRIGGER full"); });
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "audit.db");
  AuditLimits limits{.gathering = std::chrono::milliseconds(5)};
  std::vector<std::int64_t> recorded;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, AChangeIsThereWhenItsCallReturns) {
  log().write(event("CreateThing"));
  const AuditPage page = log().list({});
  ASSERT_THAT(page.entries, SizeIs(1));
  const AuditEntry& entry = page.entries.front();
  EXPECT_EQ(entry.sequence, 1);
  EXPECT_EQ(entry.event.name, "eva");
  EXPECT_THAT(entry.event.resources, ElementsAre("arn:x"));
  EXPECT_EQ(entry.hash, entry_hash(std::string(64, '0'), entry.content));
  EXPECT_FALSE(page.next);
}

TEST_F(AuditLogTest, WhatNobodyWaitsForFollowsInOrder) {
  log().note(event("ListThings"));
  log().write(event("CreateThing"));
  log().note(event("DescribeThing"));
  log().flush();
  EXPECT_THAT(operations({.order = AuditOrder::as_they_came}),
              ElementsAre("ListThings", "CreateThing", "DescribeThing"));
  close();
  EXPECT_THAT(recorded, ElementsAre(1, 2, 3));
}

TEST_F(AuditLogTest, IsSearchedByEachOfItsParts) {
  log().write(event("CreateThing", "eva", {"arn:a", "arn:b"}));
  clock.advance(std::chrono::seconds(10));
  AuditEvent refused = event("DeleteThing", "tom", {"arn:a"});
  refused.outcome = AuditOutcome::denied;
  refused.error_code = "AccessDeniedException";
  log().write(refused);
  clock.advance(std::chrono::seconds(10));
  AuditEvent read = event("ListThings", "eva", {"*"});
  read.access = AuditAccess::read;
  log().write(read);

  const auto found = [&](const AuditFilter& filter) { return operations({.filter = filter}); };
  EXPECT_THAT(found({}), ElementsAre("ListThings", "DeleteThing", "CreateThing"));
  EXPECT_THAT(found({.who = "eva"}), ElementsAre("ListThings", "CreateThing"));
  EXPECT_THAT(found({.who = "user/tom"}), ElementsAre("DeleteThing"));
  EXPECT_THAT(found({.operation = "DeleteThing"}), ElementsAre("DeleteThing"));
  EXPECT_THAT(found({.service = "iam"}), IsEmpty());
  EXPECT_THAT(found({.resource = "arn:a"}), ElementsAre("DeleteThing", "CreateThing"));
  EXPECT_THAT(found({.who = "tom", .resource = "arn:b"}), IsEmpty());
  EXPECT_THAT(found({.access_key_id = "AKIAtom"}), ElementsAre("DeleteThing"));
  EXPECT_THAT(found({.outcome = AuditOutcome::denied}), ElementsAre("DeleteThing"));
  EXPECT_THAT(found({.access = AuditAccess::read}), ElementsAre("ListThings"));
  const std::int64_t middle = base::to_epoch_millis(clock.now()) - 10'000;
  EXPECT_THAT(found({.from_ms = middle}), ElementsAre("ListThings", "DeleteThing"));
  EXPECT_THAT(found({.until_ms = middle}), ElementsAre("CreateThing"));
}

TEST_F(AuditLogTest, PagesLeaveNothingOutAndRepeatNothing) {
  for (int i = 0; i < 7; ++i) log().note(event("Op" + std::to_string(i)));
  log().flush();
  for (const auto order : {AuditOrder::newest_first, AuditOrder::as_they_came}) {
    std::vector<std::int64_t> seen;
    AuditRead read{.order = order, .limit = 3};
    while (true) {
      const AuditPage page = log().list(read);
      for (const AuditEntry& entry : page.entries) seen.push_back(entry.sequence);
      if (!page.next) break;
      read.place = page.next;
    }
    std::ranges::sort(seen);
    EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  }
}

TEST_F(AuditLogTest, AnEventIsFoundByItsId) {
  log().write(event("CreateThing"));
  const AuditEntry entry = log().list({}).entries.front();
  EXPECT_THAT(
      entry.event_id(),
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-000000000001"));
  EXPECT_EQ(log().find(1)->event_id(), entry.event_id());
  EXPECT_FALSE(log().find(2));
}

TEST_F(AuditLogTest, TextsFromOutsideAreCutAndMadeUtf8) {
  AuditEvent hostile = event("CreateThing", "eva", {std::string(5000, 'r')});
  hostile.user_agent = "agent\xff\n" + std::string(10'000, 'a');
  log().write(hostile);
  const AuditEntry entry = log().list({}).entries.front();
  EXPECT_LE(entry.event.user_agent.size(), 256U);
  EXPECT_THAT(entry.event.user_agent, HasSubstr("agent\xEF\xBF\xBD"));
  EXPECT_LE(entry.event.resources.front().size(), 1200U);
  EXPECT_THAT(entry.content, testing::Not(HasSubstr("\n")));
}

TEST_F(AuditLogTest, WhileTheDiskTakesNothingChangesAreRefusedAndNothingIsForgotten) {
  log().write(event("Before"));
  fill_the_disk();
  EXPECT_NO_THROW(log().require_writable());
  try {
    log().write(event("Meanwhile"));
    FAIL() << "was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("the change was made, but its entry"));
  }
  EXPECT_THROW(log().require_writable(), base::Error);
  EXPECT_FALSE(log().counts().is_writable);
  log().note(event("ReadMeanwhile"));
  EXPECT_THAT(operations({}), ElementsAre("Before"));
  empty_the_disk();
  while (!log().counts().is_writable) std::this_thread::yield();
  log().write(event("After"));
  EXPECT_THAT(operations({.order = AuditOrder::as_they_came}),
              ElementsAre("Before", "Meanwhile", "ReadMeanwhile", "After"));
}

TEST_F(AuditLogTest, WhatWaitsForTheDiskIsBoundedAndWhatIsLeftOutIsSaid) {
  limits.waiting = 10;
  log().write(event("Before"));
  fill_the_disk();
  for (int i = 0; i < 100; ++i) log().note(event("Read"));
  EXPECT_LE(log().counts().waiting, 10U);
  const std::uint64_t lost = log().counts().lost;
  EXPECT_GE(lost, 90U);
  EXPECT_THROW(log().require_writable(), base::Error);
  empty_the_disk();
  AuditPage page;
  do {
    page = log().list({.filter = {.operation = "ReadsNotRecorded"}});
  } while (page.entries.empty());
  EXPECT_EQ(page.entries.front().event.count, lost);
}

TEST_F(AuditLogTest, WhoIsRefusedOverAndOverIsCounted) {
  AuditEvent refused = event("CreateThing");
  refused.principal.clear();
  for (int i = 0; i < 1000; ++i) log().note_refusal(refused);
  log().flush();
  EXPECT_THAT(operations({.filter = {.operation = "CreateThing"}, .limit = 1000}),
              SizeIs(testing::AllOf(testing::Ge(20U), testing::Le(40U))));
  AuditPage page;
  do {
    page = log().list({.filter = {.operation = "RefusalsNotRecorded"}});
  } while (page.entries.empty());
  EXPECT_GE(page.entries.front().event.count, 1U);
  EXPECT_LE(page.entries.front().event.count, log().counts().over_rate);
  EXPECT_GE(log().counts().over_rate, 960U);
  EXPECT_THAT(page.entries.front().event.resources, ElementsAre("10.0.0.1"));
  // Somebody else still has entries.
  refused.address = "10.0.0.2";
  log().note_refusal(refused);
  log().flush();
  EXPECT_EQ(log().list({}).entries.front().event.address, "10.0.0.2");
}

TEST_F(AuditLogTest, IsCutByBytesAndByAgeAndSaysSo) {
  limits.total_bytes = 50'000;
  for (int i = 0; i < 200; ++i) log().write(event("Op" + std::to_string(i)));
  EXPECT_LE(log().head().bytes, 60'000);
  EXPECT_GT(log().head().first_sequence, 1);
  EXPECT_THAT(operations({.filter = {.operation = "ForgetAuditEntries"}}), testing::Not(IsEmpty()));
  close();
  limits.total_bytes = 1 << 30;
  limits.keep = std::chrono::days(1);
  clock.advance(std::chrono::hours(48));
  open();
  log().write(event("Today"));
  AuditPage page;
  do {
    page = log().list({.order = AuditOrder::as_they_came});
  } while (page.entries.size() != 2);
  EXPECT_EQ(page.entries.front().event.operation, "Today");
  EXPECT_EQ(page.entries.back().event.operation, "ForgetAuditEntries");
}

TEST_F(AuditLogTest, RemembersWhenAKeyWasLastUsed) {
  log().write(event("CreateThing"));
  const auto first = log().last_use("AKIAeva");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->time, clock.now());
  EXPECT_EQ(first->service, "iot");
  EXPECT_EQ(first->region, "us-east-1");
  clock.advance(std::chrono::minutes(2));
  AuditEvent later = event("ListUsers");
  later.service = "iam";
  log().write(later);
  EXPECT_EQ(log().last_use("AKIAeva")->time, clock.now());
  EXPECT_EQ(log().last_use("AKIAeva")->service, "iam");
  EXPECT_FALSE(log().last_use("AKIAtom"));
  // What was only claimed is no use.
  AuditEvent claimed = event("CreateThing", "tom");
  claimed.principal.clear();
  log().write(claimed);
  EXPECT_FALSE(log().last_use("AKIAtom"));
}

TEST_F(AuditLogTest, ManyThreadsShareOneChain) {
  open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 25; ++i) log().write(event("Op", "user" + std::to_string(t)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log().head().last_sequence, 100);
  EXPECT_EQ(log().counts().recorded, 100U);
}

}  // namespace
}  // namespace andon::control
