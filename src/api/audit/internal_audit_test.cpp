// SPDX-License-Identifier: Apache-2.0
#include "api/audit/internal_audit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::AuditEvent;
using control::AuditOutcome;
using testing::ElementsAre;

class InternalAuditTest : public testing::Test {
 protected:
  void SetUp() override {
    iam.entities.create({.kind = control::EntityKind::role,
                         .name = "nightly",
                         .trust = R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                           "Principal": {"Service": "states.amazonaws.com"},
                           "Action": "sts:AssumeRole"}]})"});
    iam.policies.put_inline(control::EntityKind::role, "nightly", "own",
                            R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                              "Action": ["iot:CreateThing", "s3:GetObject"], "Resource": "*"}]})");
    record_internal_calls(calls, log, authorizer, [this](auto service, auto operation) {
      changed.push_back(std::string(service) + ":" + std::string(operation));
    });
  }
  Caller nightly() {
    return calls.as_role({.role_arn = "arn:aws:iam::000000000000:role/nightly",
                          .session = "run-7",
                          .service = control::kStatesService});
  }
  std::vector<AuditEvent> recorded() {
    log.flush();
    std::vector<AuditEvent> events;
    for (const auto& entry : log.list({.order = control::AuditOrder::as_they_came}).entries) {
      events.push_back(entry.event);
    }
    return events;
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  std::unique_ptr<store::Database> audit = store::open_sqlite(directory.path() / "audit.db");
  control::AccessKeys keys{*database, clock};
  control::Iam iam{*database, keys, clock, "000000000000"};
  fleet::Arns arns{"us-east-1"};
  Authorizer authorizer{iam, clock, arns};
  control::AuditLog log{
      *audit, clock, {.key = "key", .limits = {.gathering = std::chrono::milliseconds(5)}}};
  int made = 0;
  std::vector<std::string> changed;
  std::vector<Operation> rows{
      {"iot", "CreateThing", Protocol::rest_json, "POST", "/things/{thingName}", 200,
       [this](const OperationContext&) -> json::value {
         ++made;
         return json::object();
       }},
      {"iot", "DeleteThing", Protocol::rest_json, "DELETE", "/things/{thingName}", 200,
       [](const OperationContext&) { return json::object(); }}};
  InternalCalls calls{iam, authorizer, clock, arns,
                      [this](std::string_view service, std::string_view name) -> const Operation* {
                        for (const Operation& row : rows) {
                          if (row.service == service && row.name == name) return &row;
                        }
                        return nullptr;
                      }};
};

TEST_F(InternalAuditTest, CallsOfAWorkflowAreRecordedAsItsRole) {
  (void)calls.call(nightly(), "iot", "CreateThing", {{"thingName", "line-3"}});
  EXPECT_THROW((void)calls.call(nightly(), "iot", "DeleteThing", {{"thingName", "line-3"}}),
               ServiceError);
  calls.require(nightly(), "s3:GetObject", "arn:aws:s3:::bucket/key");
  const auto events = recorded();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].via, "workflow");
  EXPECT_EQ(events[0].name + "/" + events[0].session, "nightly/run-7");
  EXPECT_EQ(events[0].service + ":" + events[0].operation, "iot:CreateThing");
  EXPECT_THAT(events[0].resources, ElementsAre("arn:aws:iot:us-east-1:000000000000:thing/line-3"));
  EXPECT_EQ(events[0].outcome, AuditOutcome::ok);
  EXPECT_EQ(events[1].outcome, AuditOutcome::denied);
  EXPECT_EQ(events[1].error_code, "AccessDeniedException");
  EXPECT_EQ(events[2].service + ":" + events[2].operation, "s3:GetObject");
  EXPECT_THAT(events[2].resources, ElementsAre("arn:aws:s3:::bucket/key"));
  EXPECT_EQ(events[2].access, control::AuditAccess::read);
  EXPECT_THAT(changed, ElementsAre("iot:CreateThing")) << "what was made, and nothing else";
}

TEST_F(InternalAuditTest, AWorkflowChangesNothingThatCouldNotBeRecorded) {
  audit->write([](store::Transaction& tx) {
    tx.execute(
        "CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'full'); "
        "END");
  });
  log.note({.via = "api"});
  log.flush();
  EXPECT_THROW((void)calls.call(nightly(), "iot", "CreateThing", {{"thingName", "x"}}),
               base::Error);
  EXPECT_EQ(made, 0);
}

}  // namespace
}  // namespace andon::api
