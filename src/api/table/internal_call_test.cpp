// SPDX-License-Identifier: Apache-2.0
#include "api/table/internal_call.hpp"

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
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kDescribeLine3 = R"({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:DescribeThing",
     "Resource": "arn:aws:iot:us-east-1:000000000000:thing/line-3"}]})";

std::string trust_of(const std::string& service, const std::string& condition = "{}") {
  return R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ")" +
         service + R"("}, "Action": "sts:AssumeRole", "Condition": )" + condition + "}]}";
}

class InternalCallTest : public testing::Test {
 protected:
  void SetUp() override {
    iam.entities.create({.kind = control::EntityKind::role,
                         .name = "nightly",
                         .trust = trust_of("states.amazonaws.com")});
    iam.policies.put_inline(control::EntityKind::role, "nightly", "own",
                            std::string(kDescribeLine3));
  }

  static json::value describe(const OperationContext& context) {
    return json::object{{"asked", context.caller.principal.substr(0, 5)}};
  }
  const Operation* find(std::string_view service, std::string_view name) const {
    for (const Operation& row : rows) {
      if (row.service == service && row.name == name) return &row;
    }
    return nullptr;
  }
  static control::RoleUse use(const std::string& role = "nightly") {
    return {.role_arn = "arn:aws:iam::000000000000:role/" + role,
            .session = "run 1/é",
            .service = control::kStatesService};
  }
  // The code and the message of the error.
  template <typename Act>
  static std::string failure(Act act) {
    try {
      act();
    } catch (const ServiceError& error) {
      return error.code() + ": " + error.what();
    } catch (const base::Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "it was taken";
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  control::AccessKeys keys{*database, clock};
  control::Iam iam{*database, keys, clock, "000000000000"};
  fleet::Arns arns{"us-east-1"};
  Authorizer authorizer{iam, clock, arns};
  std::vector<Answer> waiting;
  std::vector<Operation> rows{
      {"iot", "DescribeThing", Protocol::rest_json, "GET", "/things/{thingName}", 200, describe},
      {.service = "iot",
       .name = "DescribeEndpoint",
       .protocol = Protocol::rest_json,
       .method = "GET",
       .path = "/endpoint",
       .success_status = 200,
       .handler = {},
       .later = [this](const OperationContext&, const Answer& answer) {
         waiting.push_back(answer);
       }}};
  InternalCalls calls{
      iam, authorizer, clock, arns,
      [this](std::string_view service, std::string_view name) { return find(service, name); }};
};

TEST_F(InternalCallTest, ARoleMayWhatItsPoliciesAllowAndNoMore) {
  const Caller caller = calls.as_role(use());
  EXPECT_EQ(iam.principals.find(caller.principal)->arn,
            "arn:aws:sts::000000000000:assumed-role/nightly/run-1---");
  EXPECT_EQ(calls.call(caller, "iot", "DescribeThing", {{"thingName", "line-3"}}),
            json::value({{"asked", "role/"}}));
  EXPECT_EQ(failure([&] {
              (void)calls.call(caller, "iot", "DescribeThing", {{"thingName", "line-4"}});
            }),
            "AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/nightly/run-1--- "
            "is not authorized to perform: iot:DescribeThing on resource: "
            "arn:aws:iot:us-east-1:000000000000:thing/line-4 because no identity-based policy "
            "allows the iot:DescribeThing action");
}

TEST_F(InternalCallTest, ARoleThatIsNotThereOrTrustsAnotherServiceIsRefused) {
  EXPECT_THAT(failure([&] { (void)calls.as_role(use("none")); }),
              HasSubstr("AccessDeniedException: there is no role"));
  EXPECT_THAT(failure([&] { (void)calls.as_role(use("admin")); }),
              HasSubstr("is not authorized to be assumed by states.amazonaws.com"));
  control::RoleUse other = use();
  other.service = control::kFunctionsService;
  EXPECT_TRUE(calls.role_problem(other));
  EXPECT_FALSE(calls.role_problem(use()));
  // The account in the ARN is this one's own, whatever it says; a path is not.
  other = use();
  other.role_arn = "arn:aws:iam::111122223333:role/nightly";
  EXPECT_FALSE(calls.role_problem(other));
  EXPECT_TRUE(calls.role_problem(use("path/nightly")));
}

TEST_F(InternalCallTest, ATrustPolicyMayNameTheStateMachine) {
  iam.entities.update(
      control::EntityKind::role, "nightly",
      {.trust =
           trust_of("states.amazonaws.com",
                    R"({"ArnLike": {"aws:SourceArn": "arn:aws:states:*:*:stateMachine:x"}})")});
  control::RoleUse asked = use();
  EXPECT_TRUE(calls.role_problem(asked));
  asked.source_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:x";
  EXPECT_FALSE(calls.role_problem(asked));
}

TEST_F(InternalCallTest, AChangeOfTheRoleCountsForTheNextCall) {
  const Caller caller = calls.as_role(use());
  iam.policies.remove_inline(control::EntityKind::role, "nightly", "own");
  EXPECT_THAT(failure([&] {
                (void)calls.call(caller, "iot", "DescribeThing", {{"thingName", "line-3"}});
              }),
              HasSubstr("AccessDeniedException"));
  iam.entities.remove(control::EntityKind::role, "nightly");
  EXPECT_TRUE(calls.role_problem(use()));
}

TEST_F(InternalCallTest, MembersThatAreNotHonouredAreRefused) {
  EXPECT_THAT(failure([&] {
                (void)calls.call(calls.as_role(use()), "iot", "DescribeThing",
                                 {{"thingName", "line-3"}, {"colour", "red"}});
              }),
              HasSubstr("colour"));
}

TEST_F(InternalCallTest, AnOperationThatWaitsAnswersOnce) {
  iam.policies.put_inline(control::EntityKind::role, "nightly", "own",
                          R"({"Version": "2012-10-17", "Statement": [
                              {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})");
  const Caller caller = calls.as_role(use());
  EXPECT_THAT(failure([&] { (void)calls.call(caller, "iot", "DescribeEndpoint", {}); }),
              HasSubstr("internal"));
  std::vector<std::string> seen;
  calls.set_observer([&](const InternalCalls::Seen& one) {
    seen.push_back(std::string(one.operation) + (one.failure ? " failed" : " done"));
  });
  std::vector<json::value> answers;
  calls.call(caller, *find("iot", "DescribeEndpoint"), {},
             Answer([&](json::value output, const std::exception_ptr& failed) {
               answers.push_back(failed ? json::value("failed") : std::move(output));
             }));
  EXPECT_TRUE(answers.empty());
  EXPECT_TRUE(seen.empty());
  waiting.front().succeed("here");
  waiting.front().succeed("again");
  EXPECT_THAT(answers, ElementsAre(json::value("here")));
  EXPECT_THAT(seen, ElementsAre("DescribeEndpoint done"));
}

TEST_F(InternalCallTest, TheObserverSeesWhatWasRefusedToo) {
  std::vector<std::string> seen;
  calls.set_observer([&](const InternalCalls::Seen& one) {
    seen.push_back(std::string(one.operation) + " " + std::string(one.resource) +
                   (one.failure ? "refused" : "done"));
  });
  const Caller caller = calls.as_role(use());
  (void)calls.call(caller, "iot", "DescribeThing", {{"thingName", "line-3"}});
  (void)failure([&] { (void)calls.call(caller, "iot", "DescribeThing", {{"thingName", "x"}}); });
  (void)failure([&] { calls.require(caller, "s3:GetObject", "arn:aws:s3:::b/k "); });
  EXPECT_THAT(seen, ElementsAre("DescribeThing done", "DescribeThing refused",
                                "s3:GetObject arn:aws:s3:::b/k refused"));
}

TEST_F(InternalCallTest, CredentialsOfARoleAreASessionOfItAndEnd) {
  control::RoleUse asked = use();
  const auto key = iam.roles.credentials(asked, std::chrono::minutes(15));
  EXPECT_EQ(iam.principals.find(key.principal)->name, "nightly");
  EXPECT_EQ(key.expires, clock.now() + std::chrono::minutes(15));
  EXPECT_FALSE(key.session_token.empty());
  EXPECT_THAT(failure([&] { (void)iam.roles.credentials(asked, std::chrono::hours(13)); }),
              HasSubstr("12 hours"));
  asked.service = control::kDevicesService;
  EXPECT_THAT(failure([&] { (void)iam.roles.credentials(asked, std::chrono::minutes(15)); }),
              HasSubstr("permission_denied"));
}

TEST_F(InternalCallTest, ARoleIsPassedByWhoMayPassIt) {
  const auto eva = iam.entities.create({.name = "eva"});
  iam.policies.put_inline(control::EntityKind::user, "eva", "own",
                          R"({"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": "iam:PassRole",
       "Resource": "arn:aws:iam::000000000000:role/nightly",
       "Condition": {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}}]})");
  const Caller caller{.access_key_id = "AKIA",
                      .principal = "user/" + eva.id,
                      .account_id = "000000000000",
                      .region = "us-east-1"};
  const auto pass = [&](const std::string& role, std::string_view service) {
    return failure([&] {
      require_pass_role(&authorizer, caller, Protocol::aws_json_1_0,
                        "arn:aws:iam::000000000000:role/" + role, service);
    });
  };
  EXPECT_EQ(pass("nightly", control::kStatesService), "it was taken");
  EXPECT_THAT(pass("nightly", control::kFunctionsService), HasSubstr("iam:PassRole"));
  EXPECT_THAT(pass("admin", control::kStatesService), HasSubstr("AccessDeniedException"));
}

}  // namespace
}  // namespace andon::api
