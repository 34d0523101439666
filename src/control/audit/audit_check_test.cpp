// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/audit/audit_log.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    open();
    for (int i = 0; i < 10; ++i) add("Op" + std::to_string(i));
  }
  void open() {
    log = std::make_unique<AuditLog>(
        *database, clock, AuditOptions{.key = "key", .limits = limits, .anchor_file = anchor});
  }
  void add(const std::string& operation) {
    log->write({.time = clock.now(),
                .via = "api",
                .principal = "user/1",
                .name = "eva",
                .service = "iot",
                .operation = operation,
                .resources = {"arn:a", "arn:b"}});
  }
  // Behind the server's back.
  void attack(const std::string& sql) {
    database->write([&](store::Transaction& tx) { tx.execute(sql); });
  }
  [[nodiscard]] std::vector<std::string> problems(const std::string& key = "key") const {
    std::vector<std::string> all;
    for (const AuditProblem& problem : AuditVerifier(*database, key, anchor).all().problems) {
      all.push_back(problem.what);
    }
    return all;
  }

  base::TemporaryDirectory directory;
  base::fs::path anchor = directory.path() / "anchor.json";
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "audit.db");
  AuditLimits limits{.gathering = std::chrono::milliseconds(5)};
  std::unique_ptr<AuditLog> log;
};

TEST_F(AuditCheckTest, AWholeLogHasNoProblems) {
  const AuditCheck check = AuditVerifier(*database, "key", anchor).all();
  EXPECT_THAT(check.problems, IsEmpty());
  EXPECT_EQ(check.verified, 10);
  EXPECT_EQ(check.first, 1);
  EXPECT_EQ(check.last, 10);
  EXPECT_TRUE(check.is_at_end);
}

TEST_F(AuditCheckTest, AStepGoesOnWhereTheOneBeforeEnded) {
  const AuditVerifier verifier(*database, "key", anchor);
  std::int64_t verified = 0;
  std::int64_t from = 0;
  int steps = 0;
  do {
    const auto step = verifier.step(from, 3);
    EXPECT_THAT(step.check.problems, IsEmpty());
    verified += step.check.verified;
    from = step.next;
    ++steps;
  } while (from != 0);
  EXPECT_EQ(verified, 10);
  EXPECT_EQ(steps, 4);
}

TEST_F(AuditCheckTest, AChangedByteIsNamedWithItsEntry) {
  attack("UPDATE audit_entries SET content = replace(content, 'eva', 'tom') WHERE sequence = 4");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("entry 4 does not fit its hash")));
}

TEST_F(AuditCheckTest, AnEntryThatWasChangedWithItsHashIsFoundByTheNext) {
  database->write([](store::Transaction& tx) {
    const auto before = tx.query_one("SELECT hash FROM audit_entries WHERE sequence = 3");
    const auto row = tx.query_one("SELECT content FROM audit_entries WHERE sequence = 4");
    std::string content = row->text(0);
    content.replace(content.find("eva"), 3, "tom");
    tx.execute("UPDATE audit_entries SET content = $1, hash = $2 WHERE sequence = 4",
               {content, entry_hash(before->text(0), content)});
  });
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("entry 5 does not fit its hash and the hash of the "
                                                "entry before")));
}

TEST_F(AuditCheckTest, ARemovedEntryIsNamed) {
  attack("DELETE FROM audit_entries WHERE sequence = 5");
  EXPECT_THAT(problems(), ElementsAre("entry 5 is missing: removed"));
  attack("DELETE FROM audit_entries WHERE sequence IN (6, 7)");
  EXPECT_THAT(problems(), ElementsAre("entries 5 to 7 are missing: removed"));
}

TEST_F(AuditCheckTest, ARemovedBeginningIsNamed) {
  attack("DELETE FROM audit_entries WHERE sequence <= 3");
  EXPECT_THAT(problems(), ElementsAre("entries 1 to 3 are missing: removed"));
}

TEST_F(AuditCheckTest, ACutEndIsNamed) {
  attack("DELETE FROM audit_entries WHERE sequence > 8");
  EXPECT_THAT(problems(), ElementsAre("entries 9 to 10 are missing: cut off at the end"));
}

TEST_F(AuditCheckTest, ACutEndWithAHeadThatWasMadeToFitIsNamed) {
  attack("DELETE FROM audit_entries WHERE sequence > 8");
  attack(
      "UPDATE audit_head SET last_sequence = 8, "
      "last_hash = (SELECT hash FROM audit_entries WHERE sequence = 8)");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("head of the audit log is not the one that this "
                                                "server has signed")));
}

TEST_F(AuditCheckTest, AnEntryThatWasPutInIsNamed) {
  attack(
      "INSERT INTO audit_entries (sequence, time_ms, operation, content, hash) "
      "SELECT 11, time_ms, operation, content, hash FROM audit_entries WHERE sequence = 10");
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("entry 11 does not fit its hash")));
}

TEST_F(AuditCheckTest, WhatIsListedOtherwiseThanItSaysIsNamed) {
  attack("UPDATE audit_entries SET operation = 'ListThings' WHERE sequence = 2");
  attack("DELETE FROM audit_resources WHERE sequence = 6 AND resource = 'arn:a'");
  EXPECT_THAT(problems(),
              ElementsAre("entry 2 is listed with another time or operation than it has",
                          "entry 6 is listed with other resources than it has"));
}

TEST_F(AuditCheckTest, ALogThatWasPutBackToAnEarlierStateIsFoundByTheAnchor) {
  const std::vector<store::Row> head = database->read([](store::Transaction& tx) {
    return tx.query("SELECT last_sequence, last_hash, bytes, signature FROM audit_head");
  });
  add("Crime");
  log.reset();  // writes the anchor
  attack("DELETE FROM audit_resources WHERE sequence = 11");
  attack("DELETE FROM audit_entries WHERE sequence = 11");
  database->write([&](store::Transaction& tx) {
    tx.execute(
        "UPDATE audit_head SET last_sequence = $1, last_hash = $2, bytes = $3, signature = $4",
        {head[0].integer(0), head[0].text(1), head[0].integer(2), head[0].text(3)});
  });
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("entry 11 was recorded and is not there")));
  EXPECT_THROW(open(), base::Error);
}

TEST_F(AuditCheckTest, AnotherKeySignsNothing) {
  EXPECT_THAT(problems("other"), testing::Contains(HasSubstr("is not the one that this server")));
  log.reset();
  attack("DELETE FROM audit_head");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("head of the audit log is gone")));
}

TEST_F(AuditCheckTest, TheChainHoldsAfterTheOldestWereForgotten) {
  log.reset();
  limits.total_bytes = 6'000;
  open();
  for (int i = 0; i < 30; ++i) add("More");
  const AuditCheck check = AuditVerifier(*database, "key", anchor).all();
  EXPECT_THAT(check.problems, IsEmpty());
  EXPECT_GT(check.first, 1);
  attack("DELETE FROM audit_entries WHERE sequence = " + std::to_string(check.first));
  EXPECT_THAT(problems(),
              ElementsAre("entry " + std::to_string(check.first) + " is missing: removed"));
}

}  // namespace
}  // namespace andon::control
