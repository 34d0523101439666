// SPDX-License-Identifier: Apache-2.0
#include "api/audit/call_audit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "api/audit/internal_audit.hpp"
#include "api/router.hpp"
#include "api/table/catalogue/honoured_members.hpp"
#include "api/testing/signed_request.hpp"
#include "base/error/error.hpp"
#include "wire/http/http_later.hpp"

namespace andon::api {
namespace {

using control::AuditAccess;
using control::AuditEvent;
using control::AuditOutcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CallAuditTest : public ApiTest {
 protected:
  static Operation operation(std::string_view service, std::string_view name,
                             std::function<base::json::value(const OperationContext&)> handler) {
    return {service, name, Protocol::aws_json_1_1, "", "", 200, std::move(handler)};
  }
  static Operation waiting(std::string_view name) {
    Operation row = operation("sagemaker", name, {});
    row.later = [](const OperationContext& context, const Answer& answer) {
      if (context.input.contains("fail")) throw base::Error(base::ErrorCode::not_found, "none");
      answer.succeed(base::json::object{{"done", true}});
    };
    return row;
  }
  [[nodiscard]] wire::HttpRequest request(const std::string& name, const std::string& body,
                                          const control::AccessKey& key) const {
    return signed_request({.method = "POST",
                           .body = body,
                           .headers = {{"X-Amz-Target", "SageMaker." + name},
                                       {"Content-Type", "application/x-amz-json-1.1"}},
                           .service = "sagemaker"},
                          key, clock.now());
  }
  wire::HttpResponse call(const std::string& name, const std::string& body = "{}") {
    return router.handle(request(name, body, operator_key));
  }
  std::vector<AuditEvent> recorded() {
    log.flush();
    std::vector<AuditEvent> events;
    for (const auto& entry : log.list({.order = control::AuditOrder::as_they_came}).entries) {
      events.push_back(entry.event);
    }
    return events;
  }
  void fill_the_disk() {
    audit_database->write([](store::Transaction& tx) {
      tx.execute(
          "CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'full'); "
          "END");
    });
  }

  int made = 0;
  std::unique_ptr<store::Database> audit_database =
      store::open_sqlite(directory.path() / "audit.db");
  control::AuditLog log{*audit_database,
                        clock,
                        {.key = "key", .limits = {.gathering = std::chrono::milliseconds(5)}}};
  S3Service audited_s3{objects, authenticator, clock, {.audit = &log}};
  Router router{{operation("sagemaker", "CreateModel",
                           [this](const OperationContext& context) -> base::json::value {
                             ++made;
                             if (context.input.contains("fail")) {
                               throw ServiceError(400, "ConflictException", "in the way");
                             }
                             return base::json::object{{"made", made}};
                           }),
                 operation("sagemaker", "UpdateModelPackage",
                           [](const OperationContext&) { return base::json::object(); }),
                 operation("sagemaker", "ListModels",
                           [](const OperationContext&) { return base::json::object(); }),
                 waiting("StartModel")},
                audited_s3,
                authenticator,
                {.audit = &log, .check_members = [](auto, auto, const auto&) {}}};
};

TEST_F(CallAuditTest, AChangeIsOnTheDiskBeforeItsAnswer) {
  EXPECT_EQ(call("CreateModel").status, 200);
  // Not flushed.
  const auto entries = log.list({}).entries;
  ASSERT_EQ(entries.size(), 1U);
  const AuditEvent& event = entries.front().event;
  EXPECT_EQ(event.service + ":" + event.operation, "sagemaker:CreateModel");
  EXPECT_EQ(event.access, AuditAccess::write);
  EXPECT_EQ(event.outcome, AuditOutcome::ok);
  EXPECT_EQ(event.principal, "operator");
  EXPECT_EQ(event.access_key_id, operator_key.id);
  EXPECT_EQ(event.address, "127.0.0.1");
  EXPECT_EQ(event.via, "api");
  EXPECT_EQ(event.region, "us-east-1");
  EXPECT_EQ(event.request_id.size(), 36U);
}

TEST_F(CallAuditTest, WhatFailsIsRecordedWithItsCode) {
  EXPECT_EQ(call("CreateModel", R"({"fail": 1})").status, 400);
  EXPECT_EQ(call("ListModels").status, 200);
  EXPECT_EQ(call("NoSuchOperation").status, 400);
  const auto events = recorded();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].error_code, "ConflictException");
  EXPECT_EQ(events[0].outcome, AuditOutcome::error);
  EXPECT_EQ(events[1].access, AuditAccess::read);
  EXPECT_EQ(events[2].error_code, "UnknownOperationException");
}

TEST_F(CallAuditTest, WhatIsDecidedOfAModelIsRecordedWithItsReasonAndNothingElseOfAnInput) {
  const std::string decision =
      R"({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "misses scratches"})";
  EXPECT_EQ(call("UpdateModelPackage", decision).status, 200);
  EXPECT_EQ(call("UpdateModelPackage", R"({"ModelApprovalStatus": "Approved"})").status, 200);
  EXPECT_EQ(call("CreateModel", decision).status, 200);
  const auto events = recorded();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].decision, "Rejected: misses scratches");
  EXPECT_EQ(events[1].decision, "Approved");
  EXPECT_EQ(events[2].decision, "");
}

TEST_F(CallAuditTest, WhatBeginsASessionNamesIt) {
  const base::json::object input{{"RoleSessionName", "night-shift"}};
  for (const char* name : {"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"}) {
    CallAudit audit(&log, "api", "1");
    audit.set_operation("sts", name, access_of("sts", name));
    audit.begin();
    audit.succeeded(input, base::json::object{});
    audit.record();
  }
  const auto events = recorded();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].detail, "session night-shift");
  EXPECT_EQ(events[1].detail, "session night-shift");
  EXPECT_EQ(events[2].detail, "");
}

TEST_F(CallAuditTest, AnOperationThatAnswersLaterIsRecordedBeforeItsAnswer) {
  const auto answer_of = [&](const std::string& body) {
    const wire::HttpResponse response = call("StartModel", body);
    EXPECT_TRUE(response.later);
    std::promise<int> status;
    response.later->when_answered([&](wire::HttpResponse late) { status.set_value(late.status); });
    return status.get_future().get();
  };
  EXPECT_EQ(answer_of("{}"), 200);
  EXPECT_EQ(log.list({}).entries.size(), 1U);
  EXPECT_EQ(answer_of(R"({"fail": 1})"), 400);
  const auto entries = log.list({}).entries;
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].event.outcome, AuditOutcome::error);
  EXPECT_EQ(entries[1].event.outcome, AuditOutcome::ok);
}

TEST_F(CallAuditTest, WithoutRoomForTheLogNothingIsChangedAndReadsGoOn) {
  fill_the_disk();
  const auto first = call("CreateModel");
  EXPECT_EQ(first.status, 503);
  EXPECT_THAT(text_of(first), HasSubstr("the change was made, but its entry"));
  EXPECT_EQ(made, 1);
  const auto second = call("CreateModel");
  EXPECT_EQ(second.status, 503);
  EXPECT_THAT(text_of(second), HasSubstr("nothing is changed unless it is recorded"));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(call("ListModels").status, 200);
  const auto put = router.handle(signed_request(
      {.method = "PUT", .target = "/some-bucket", .service = "s3"}, operator_key, clock.now()));
  EXPECT_EQ(put.status, 503);
  EXPECT_FALSE(objects.has_bucket("some-bucket"));
}

TEST_F(CallAuditTest, WhoIsNotKnownIsRefusedAndRecordedAsUnknown) {
  control::AccessKey wrong = operator_key;
  wrong.secret = "wrong";
  EXPECT_EQ(router.handle(request("CreateModel", "{}", wrong)).status, 403);
  wire::HttpRequest unsigned_request = request("CreateModel", "{}", operator_key);
  unsigned_request.headers.remove("Authorization");
  EXPECT_EQ(router.handle(unsigned_request).status, 403);
  const auto events = recorded();
  ASSERT_EQ(events.size(), 2U);
  for (const AuditEvent& event : events) {
    EXPECT_EQ(event.principal, "");
    EXPECT_EQ(event.outcome, AuditOutcome::denied);
  }
  EXPECT_EQ(events[0].access_key_id, operator_key.id);  // as it was claimed
  EXPECT_EQ(events[1].access_key_id, "");
  EXPECT_EQ(made, 0);
}

TEST_F(CallAuditTest, ObjectsAreNamedAndNothingOfTheirContent) {
  const auto send = [&](const RequestForTest& one) {
    return router.handle(signed_request(one, operator_key, clock.now())).status;
  };
  objects.create_bucket("parts");
  EXPECT_EQ(send({.method = "PUT", .target = "/parts/a/b.txt", .body = "secret"}), 200);
  EXPECT_EQ(send({.method = "PUT",
                  .target = "/parts/copy",
                  .headers = {{"x-amz-copy-source", "/parts/a/b.txt"}}}),
            200);
  EXPECT_EQ(send({.target = "/parts/none"}), 404);
  EXPECT_EQ(send({.method = "POST",
                  .target = "/parts?delete",
                  .body = "<Delete><Object><Key>copy</Key></Object></Delete>",
                  .headers = {{"Content-MD5", "5Vhd8cSp5gvrZGqKt5SbRg=="}}}),
            400);
  const auto events = recorded();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].operation, "PutObject");
  EXPECT_THAT(events[0].resources, ElementsAre("arn:aws:s3:::parts/a/b.txt"));
  EXPECT_EQ(events[1].operation, "CopyObject");
  EXPECT_THAT(events[1].resources,
              ElementsAre("arn:aws:s3:::parts/copy", "arn:aws:s3:::parts/a/b.txt"));
  EXPECT_EQ(events[2].operation, "GetObject");
  EXPECT_EQ(events[2].error_code, "NoSuchKey");
  EXPECT_EQ(events[3].operation, "DeleteObjects");
  for (const auto& entry : log.list({}).entries) {
    EXPECT_THAT(entry.content, testing::Not(HasSubstr("secret")));
  }
}

TEST(CallAudit, WhatItsRowSaysToChangeNothingIsRead) {
  for (const auto& [service, name] : honoured_operations()) {
    if (name.starts_with("BatchGet") || name == "PlanStack" || name == "TestEventPattern") {
      EXPECT_EQ(access_of(service, name), AuditAccess::read) << service << ":" << name;
    }
  }
  EXPECT_EQ(access_of("cloudtrail", "LookupEvents"), AuditAccess::read);
  EXPECT_EQ(access_of("s3", "GetObject"), AuditAccess::read);
}

TEST(CallAudit, WhatIsNotKnownToReadIsAChange) {
  for (const auto& [service, name] : honoured_operations()) {
    const bool is_changing_by_name = std::ranges::any_of(
        std::vector<std::string_view>{"Create", "Delete", "Update", "Put", "Add", "Remove",
                                      "Attach", "Detach", "Start", "Stop", "Send", "Tag", "Untag",
                                      "Publish", "Cancel", "Confirm", "Overrule", "Set"},
        [&](std::string_view word) { return name.starts_with(word); });
    if (is_changing_by_name) {
      EXPECT_EQ(access_of(service, name), AuditAccess::write) << service << ":" << name;
    }
  }
  EXPECT_EQ(access_of("sts", "AssumeRole"), AuditAccess::write);
  EXPECT_EQ(access_of("sts", "GetSessionToken"), AuditAccess::write);
  EXPECT_EQ(access_of("states", "GetActivityTask"), AuditAccess::write);
  EXPECT_EQ(access_of("iot", "SomethingNew"), AuditAccess::write);
  EXPECT_EQ(access_of("s3", "PutObject"), AuditAccess::write);
}

}  // namespace
}  // namespace andon::api
