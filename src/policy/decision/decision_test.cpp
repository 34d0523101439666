// SPDX-License-Identifier: Apache-2.0
// Cases from AWS's documented rules: evaluation logic, policy elements, operators, variables.
#include "policy/decision/decision.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/error/error.hpp"

namespace andon::policy {
namespace {

using Keys = std::map<std::string, std::vector<std::string>>;

Context context_of(const Keys& keys) {
  Context context;
  for (const auto& [key, values] : keys) context.set(key, values);
  return context;
}

std::shared_ptr<const NamedPolicy> policy(const std::string& statements,
                                          const std::string& name = "p") {
  const std::string text = R"({"Version": "2012-10-17", "Statement": [)" + statements + "]}";
  return std::make_shared<NamedPolicy>(NamedPolicy{
      .name = name,
      .source = "user eva",
      .document = std::make_shared<const Document>(Document::parse(text, DocumentKind::identity))});
}

std::string word(Verdict verdict) {
  switch (verdict) {
    case Verdict::allowed:
      return "allowed";
    case Verdict::denied_explicitly:
      return "denied";
    case Verdict::denied_implicitly:
      break;
  }
  return "nothing";
}

struct Case {
  const char* statements;
  const char* action;
  const char* resource;
  Keys keys;
  const char* expected;
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const Context context = context_of(one.keys);
    const PolicySet set({policy(one.statements)});
    EXPECT_EQ(word(set.decide({one.action, one.resource, context}).verdict), one.expected)
        << one.statements << "\n"
        << one.action << " on " << one.resource;
  }
}

constexpr const char* kBucket = "arn:aws:s3:::parts";
constexpr const char* kObject = "arn:aws:s3:::parts/a/b.png";

TEST(PolicyDecision, DeniesWhatNothingAllowsAndADenyWins) {
  check({
      {R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"})",
       "s3:PutObject",
       kObject,
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"})",
       "iot:GetObject",
       kObject,
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"*","Resource":"*"},
          {"Effect":"Deny","Action":"s3:Delete*","Resource":"*"})",
       "s3:DeleteObject",
       kObject,
       {},
       "denied"},
      {R"({"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::secret/*"},
          {"Effect":"Allow","Action":"s3:*","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
  });
}

TEST(PolicyDecision, ActionsAreComparedWithoutCaseAndResourcesWithIt) {
  check({
      {R"({"Effect":"Allow","Action":"S3:getOBJECT","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:get*","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:Get?bject","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s?:GetObject","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"*:GetObject","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::PARTS/*"})",
       "s3:GetObject",
       kObject,
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::parts/*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::parts/*"})",
       "s3:ListBucket",
       kBucket,
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::part?"})",
       "s3:ListBucket",
       kBucket,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*/*.png"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*.jpg"})",
       "s3:GetObject",
       kObject,
       {},
       "nothing"},
  });
}

TEST(PolicyDecision, NotActionAndNotResourceAreAllTheOthers) {
  check({
      {R"({"Effect":"Allow","NotAction":"iam:*","Resource":"*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","NotAction":"iam:*","Resource":"*"})",
       "iam:CreateUser",
       "*",
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"*","Resource":"*"},
          {"Effect":"Deny","NotAction":["s3:*","iot:*"],"Resource":"*"})",
       "iam:CreateUser",
       "*",
       {},
       "denied"},
      {R"({"Effect":"Allow","Action":"*","Resource":"*"},
          {"Effect":"Deny","NotAction":["s3:*","iot:*"],"Resource":"*"})",
       "iot:CreateThing",
       "*",
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::parts/a/*"})",
       "s3:GetObject",
       kObject,
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::parts/x/*"})",
       "s3:GetObject",
       kObject,
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"*"},
          {"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::parts/a/*"})",
       "s3:GetObject",
       "arn:aws:s3:::other/x",
       {},
       "denied"},
  });
}

TEST(PolicyDecision, VariablesStandForTheRequestsKeysAndAreNoWildcards) {
  const Keys eva{{"aws:username", {"eva"}}};
  check({
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"})",
       "s3:GetObject", "arn:aws:s3:::home/eva/x", eva, "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${AWS:UserName}/*"})",
       "s3:GetObject", "arn:aws:s3:::home/max/x", eva, "nothing"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"})",
       "s3:GetObject",
       "arn:aws:s3:::home/max/x",
       {{"aws:username", {"*"}}},
       "nothing"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"})",
       "s3:GetObject",
       "arn:aws:s3:::home//x",
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"s3:*",
           "Resource":"arn:aws:s3:::home/${aws:username, 'all'}/*"})",
       "s3:GetObject",
       "arn:aws:s3:::home/all/x",
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a/${*}${?}${$}"})",
       "s3:GetObject",
       "arn:aws:s3:::a/*?$",
       {},
       "allowed"},
      {R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a/${*}"})",
       "s3:GetObject",
       "arn:aws:s3:::a/b",
       {},
       "nothing"},
      // Without a value, nothing is allowed and nothing slips past a Deny.
      {R"({"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::h/${aws:username}/*"})",
       "s3:GetObject",
       kObject,
       {},
       "nothing"},
      {R"({"Effect":"Allow","Action":"*","Resource":"*"},
          {"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::h/${aws:username}/*"})",
       "s3:GetObject",
       kObject,
       {},
       "denied"},
      {R"({"Effect":"Allow","Action":"s3:ListBucket","Resource":"*",
           "Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}})",
       "s3:ListBucket",
       kBucket,
       {{"aws:username", {"eva"}}, {"s3:prefix", {"eva/x"}}},
       "allowed"},
  });
  // The language of 2008 has none.
  const auto old = std::make_shared<NamedPolicy>(NamedPolicy{
      .name = "old",
      .source = "",
      .document = std::make_shared<const Document>(Document::parse(
          R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}})",
          DocumentKind::identity))});
  const Context context = context_of(eva);
  EXPECT_FALSE(PolicySet({old}).decide({"s3:GetObject", "arn:aws:s3:::eva", context}).is_allowed());
}

struct ConditionCase {
  const char* condition;
  Keys keys;
  bool holds;
};

TEST(PolicyDecision, EachOperatorOfAConditionIsAsDocumented) {
  const std::vector<ConditionCase> cases = {
      {R"({"StringEquals":{"k":"a"}})", {{"k", {"a"}}}, true},
      {R"({"StringEquals":{"K":"a"}})", {{"k", {"A"}}}, false},
      {R"({"StringEquals":{"k":["x","a"]}})", {{"k", {"a"}}}, true},
      {R"({"StringEquals":{"k":"a*"}})", {{"k", {"ab"}}}, false},
      {R"({"StringEquals":{"k":"a"}})", {}, false},
      {R"({"StringEquals":{"k":"a","l":"b"}})", {{"k", {"a"}}}, false},
      {R"({"StringEquals":{"k":"a","l":"b"}})", {{"k", {"a"}}, {"l", {"b"}}}, true},
      {R"({"StringEquals":{"k":"a"},"Bool":{"b":"true"}})",
       {{"k", {"a"}}, {"b", {"false"}}},
       false},
      {R"({"StringNotEquals":{"k":["a","b"]}})", {{"k", {"b"}}}, false},
      {R"({"StringNotEquals":{"k":["a","b"]}})", {{"k", {"c"}}}, true},
      {R"({"StringNotEquals":{"k":"a"}})", {}, true},
      {R"({"StringEqualsIgnoreCase":{"k":"EVA"}})", {{"k", {"eva"}}}, true},
      {R"({"StringNotEqualsIgnoreCase":{"k":"EVA"}})", {{"k", {"eva"}}}, false},
      {R"({"StringLike":{"k":"a?c*"}})", {{"k", {"abcd"}}}, true},
      {R"({"StringNotLike":{"k":"a*"}})", {{"k", {"abcd"}}}, false},
      {R"({"StringEqualsIfExists":{"k":"a"}})", {}, true},
      {R"({"StringEqualsIfExists":{"k":"a"}})", {{"k", {"b"}}}, false},
      {R"({"NumericEquals":{"k":"3"}})", {{"k", {"3.0"}}}, true},
      {R"({"NumericEquals":{"k":3}})", {{"k", {"x"}}}, false},
      {R"({"NumericNotEquals":{"k":"3"}})", {{"k", {"4"}}}, true},
      {R"({"NumericLessThan":{"k":"3"}})", {{"k", {"3"}}}, false},
      {R"({"NumericLessThanEquals":{"k":"3"}})", {{"k", {"3"}}}, true},
      {R"({"NumericGreaterThan":{"k":"3"}})", {{"k", {"10"}}}, true},
      {R"({"NumericGreaterThanEquals":{"k":"3"}})", {{"k", {"2"}}}, false},
      {R"({"DateEquals":{"k":"2026-01-01T00:00:00Z"}})", {{"k", {"2026-01-01"}}}, true},
      {R"({"DateNotEquals":{"k":"2026-01-01"}})", {{"k", {"2026-01-02"}}}, true},
      {R"({"DateLessThan":{"k":"2026-01-01T00:00:00Z"}})", {{"k", {"2025-12-31T23:59:59Z"}}}, true},
      {R"({"DateLessThanEquals":{"k":"2026-01-01"}})", {{"k", {"2026-01-01T00:00:01Z"}}}, false},
      {R"({"DateGreaterThan":{"k":"1767225600"}})", {{"k", {"2026-01-01T00:00:01Z"}}}, true},
      {R"({"DateGreaterThanEquals":{"k":"2026-01-01"}})", {}, false},
      {R"({"Bool":{"k":"true"}})", {{"k", {"True"}}}, true},
      {R"({"Bool":{"k":false}})", {{"k", {"true"}}}, false},
      {R"({"BoolIfExists":{"k":true}})", {}, true},
      {R"({"BinaryEquals":{"k":"QmFy"}})", {{"k", {"QmFy"}}}, true},
      {R"({"IpAddress":{"k":"10.1.0.0/16"}})", {{"k", {"10.1.255.1"}}}, true},
      {R"({"IpAddress":{"k":"10.1.0.0/16"}})", {{"k", {"10.2.0.1"}}}, false},
      {R"({"IpAddress":{"k":["192.168.1.1","2001:db8::/32"]}})", {{"k", {"2001:db8:1::5"}}}, true},
      {R"({"IpAddress":{"k":"10.0.0.0/8"}})", {{"k", {"::ffff:10.9.9.9"}}}, true},
      {R"({"IpAddress":{"k":"0.0.0.0/0"}})", {{"k", {"::1"}}}, false},
      {R"({"NotIpAddress":{"k":"10.0.0.0/8"}})", {{"k", {"10.9.9.9"}}}, false},
      {R"({"NotIpAddress":{"k":"10.0.0.0/8"}})", {}, true},
      {R"({"ArnEquals":{"k":"arn:aws:iot:*:*:thing/line-*"}})",
       {{"k", {"arn:aws:iot:us-east-1:000000000000:thing/line-3"}}},
       true},
      // Each part for itself: * does not reach over a colon.
      {R"({"ArnLike":{"k":"arn:aws:*:thing/a"}})", {{"k", {"arn:aws:iot:x:y:thing/a"}}}, false},
      {R"({"StringLike":{"k":"arn:aws:*:thing/a"}})", {{"k", {"arn:aws:iot:x:y:thing/a"}}}, true},
      {R"({"ArnNotLike":{"k":"arn:aws:iot:*:*:thing/a"}})",
       {{"k", {"arn:aws:iot:x:y:thing/b"}}},
       true},
      {R"({"ArnNotEquals":{"k":"arn:aws:iot:*:*:thing/a"}})",
       {{"k", {"arn:aws:iot:x:y:thing/a"}}},
       false},
      {R"({"Null":{"k":"true"}})", {}, true},
      {R"({"Null":{"k":"true"}})", {{"k", {"a"}}}, false},
      {R"({"Null":{"k":false}})", {{"k", {"a"}}}, true},
      {R"({"ForAllValues:StringEquals":{"k":["a","b"]}})", {{"k", {"a", "b", "a"}}}, true},
      {R"({"ForAllValues:StringEquals":{"k":["a","b"]}})", {{"k", {"a", "c"}}}, false},
      {R"({"ForAllValues:StringEquals":{"k":["a","b"]}})", {}, true},
      {R"({"ForAnyValue:StringEquals":{"k":["a","b"]}})", {{"k", {"c", "b"}}}, true},
      {R"({"ForAnyValue:StringEquals":{"k":["a","b"]}})", {{"k", {"c"}}}, false},
      {R"({"ForAnyValue:StringEquals":{"k":["a","b"]}})", {}, false},
      {R"({"ForAnyValue:StringNotEquals":{"k":["a","b"]}})", {{"k", {"a", "c"}}}, true},
      {R"({"ForAllValues:StringNotEquals":{"k":["a","b"]}})", {{"k", {"a", "c"}}}, false},
      {R"({"ForAnyValue:StringLikeIfExists":{"k":"a*"}})", {}, true},
  };
  for (const ConditionCase& one : cases) {
    const PolicySet set({policy(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":)" +
                                std::string(one.condition) + "}")});
    const Context context = context_of(one.keys);
    EXPECT_EQ(set.decide({"s3:GetObject", kObject, context}).is_allowed(), one.holds)
        << one.condition;
  }
}

TEST(PolicyDecision, SaysWhichStatementDecided) {
  const Context context;
  const PolicySet set(
      {policy(R"({"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"})", "first"),
       policy(R"({"Effect":"Allow","Action":"iot:*","Resource":"*"},
                 {"Sid":"NoDelete","Effect":"Deny","Action":"*:Delete*","Resource":"*"})",
              "second")});
  const Decision denied = set.decide({"s3:DeleteObject", kObject, context});
  EXPECT_EQ(word(denied.verdict), "denied");
  ASSERT_TRUE(denied.policy);
  EXPECT_EQ(denied.policy->name, "second");
  EXPECT_EQ(denied.statement, 1U);
  const Decision allowed = set.decide({"s3:GetObject", kObject, context});
  EXPECT_EQ(allowed.policy->name, "first");
  EXPECT_EQ(allowed.statement, 0U);
  EXPECT_FALSE(set.decide({"logs:GetLogEvents", "*", context}).policy);
}

TEST(PolicyDecision, ATrustPolicySaysWhoMayTakeARole) {
  const Context context;
  const auto trust = [&](const std::string& statements, const Asker& asker) {
    const Document document = Document::parse(
        R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", DocumentKind::trust);
    const ResourceDecision decision = decide(document, asker, {"sts:AssumeRole", "", context});
    return word(decision.verdict) + (decision.is_delegated ? " by account" : "");
  };
  const Asker eva{
      .arn = "arn:aws:iam::000000000000:user/eva", .role_arn = {}, .account = "000000000000"};
  const Asker session{.arn = "arn:aws:sts::000000000000:assumed-role/r/s",
                      .role_arn = "arn:aws:iam::000000000000:role/r",
                      .account = "000000000000"};
  const Asker states{
      .kind = Asker::Kind::service, .arn = "states.amazonaws.com", .role_arn = {}, .account = {}};
  const auto allow = [](const std::string& principal) {
    return R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" + principal + "}";
  };
  const std::string user = allow(R"({"AWS":"arn:aws:iam::000000000000:user/eva"})");
  EXPECT_EQ(trust(user, eva), "allowed");
  EXPECT_EQ(trust(user, session), "nothing");
  EXPECT_EQ(trust(allow(R"({"AWS":"arn:aws:iam::000000000000:role/r"})"), session), "allowed");
  EXPECT_EQ(trust(allow(R"({"AWS":"arn:aws:iam::000000000000:root"})"), eva), "allowed by account");
  EXPECT_EQ(trust(allow(R"({"AWS":["000000000000"]})"), eva), "allowed by account");
  EXPECT_EQ(trust(allow(R"({"AWS":"arn:aws:iam::111111111111:root"})"), eva), "nothing");
  EXPECT_EQ(trust(allow(R"("*")"), eva), "allowed");
  EXPECT_EQ(trust(allow(R"({"Service":"states.amazonaws.com"})"), states), "allowed");
  EXPECT_EQ(trust(allow(R"({"Service":"states.amazonaws.com"})"), eva), "nothing");
  EXPECT_EQ(trust(user + R"(,{"Effect":"Deny","Action":"*","Principal":"*"})", eva), "denied");
  EXPECT_EQ(trust(R"({"Effect":"Deny","Action":"sts:*","NotPrincipal":
                     {"AWS":"arn:aws:iam::000000000000:user/max"}})",
                  eva),
            "denied");
  EXPECT_EQ(trust(R"({"Effect":"Allow","Action":"sts:TagSession","Principal":"*"})", eva),
            "nothing");
}

}  // namespace
}  // namespace andon::policy
