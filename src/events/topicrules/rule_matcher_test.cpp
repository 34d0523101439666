// SPDX-License-Identifier: Apache-2.0
#include "events/topicrules/rule_matcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"
#include "events/delivery/queue.hpp"

namespace andon::events {
namespace {

json::object object(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}

class RuleMatching : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& sql, std::string_view action,
           std::string_view error_action = "{}") {
    rules_.create({.name = name,
                   .sql = sql,
                   .description = {},
                   .sql_version = {},
                   .actions = {object(action)},
                   .error_action = object(error_action),
                   .is_disabled = false,
                   .created = {}});
  }
  RuleMatcher::Found match(const std::string& filter, const std::string& topic,
                           const std::string& payload, int hops = 0) {
    return matcher_.match({filter, topic, payload, clock_.now(), hops});
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "a.db");
  EventArns arns_{"us-east-1", "000000000000"};
  TopicRules rules_{*database_, clock_};
  RuleMatcher matcher_{rules_, arns_};
};

constexpr const char* kS3 =
    R"({"s3":{"roleArn":"arn:r","bucketName":"b","key":"${topic(2)}/${a}.json"}})";

TEST_F(RuleMatching, AMessageThatGoesRoundInACircleIsTakenNoMore) {
  put("there", "SELECT * FROM 'a'", R"({"republish":{"roleArn":"arn:r","topic":"b"}})");
  auto found = match("a", "a", "{}", 2);
  ASSERT_EQ(found.deliveries.size(), 1U);
  EXPECT_EQ(found.deliveries.front().target.at("Hops"), 3);
  EXPECT_EQ(match("a", "a", "{}", RuleMatcher::kMostHops - 1).deliveries.size(), 1U);
  found = match("a", "a", "{}", RuleMatcher::kMostHops);
  EXPECT_TRUE(found.deliveries.empty());
  ASSERT_EQ(found.failures.size(), 1U);
  EXPECT_EQ(found.failures.front().first, "there");
  EXPECT_THAT(found.failures.front().second, testing::HasSubstr("in a circle"));
}

TEST_F(RuleMatching, ARuleThatTakesAMessageMakesADeliveryOfEachAction) {
  put("hot", "SELECT a FROM 'plant/+' WHERE a > 1", kS3);
  EXPECT_THAT(matcher_.filters(), testing::ElementsAre("plant/+"));
  EXPECT_TRUE(match("plant/+", "plant/4", R"({"a":1})").deliveries.empty());
  const auto found = match("plant/+", "plant/4", R"({"a":2,"b":3})");
  ASSERT_EQ(found.deliveries.size(), 1U);
  const Delivery& delivery = found.deliveries.front();
  EXPECT_EQ(delivery.source_arn, "arn:aws:iot:us-east-1:000000000000:rule/hot");
  EXPECT_EQ(delivery.input, R"({"a":2})");
  EXPECT_EQ(delivery.role_arn(), "arn:r");
  EXPECT_EQ(delivery.target_arn(), "arn:aws:s3:::b");
  EXPECT_EQ(base::to_text(delivery.target.at("Action")),
            R"({"s3":{"roleArn":"arn:r","bucketName":"b","key":"4/2.json"}})");
}

TEST_F(RuleMatching, OnlyRulesOfTheFilterUnderWhichAMessageCameAreAsked) {
  put("one", "SELECT * FROM 'plant/+'", kS3);
  put("all", "SELECT * FROM '#'", kS3);
  EXPECT_EQ(match("#", "plant/4", "{}").deliveries.size(), 1U);
  EXPECT_EQ(match("plant/+", "plant/4", "{}").deliveries.size(), 1U);
  const auto named = match("$aws/rules/#", "$aws/rules/one/x/7", R"({"a":1})");
  ASSERT_EQ(named.deliveries.size(), 1U);
  EXPECT_EQ(named.deliveries.front().source_arn, "arn:aws:iot:us-east-1:000000000000:rule/one");
  EXPECT_THAT(base::to_text(named.deliveries.front().target), testing::HasSubstr("7/1.json"));
  rules_.enable("one", false);
  EXPECT_THAT(matcher_.filters(), testing::ElementsAre("#"));
  EXPECT_TRUE(match("plant/+", "plant/4", "{}").deliveries.empty());
}

TEST_F(RuleMatching, WhatRulesMakeOfOneMessageIsBounded) {
  const auto action = [](int headers) {
    std::string all;
    for (int i = 0; i < headers; ++i) {
      all += (i == 0 ? "" : ",") + std::string(R"({"key":"a","value":"${a}"})");
    }
    return R"({"http":{"url":"https://h/","headers":[)" + all + "]}}";
  };
  put("a_large", "SELECT 1 AS b FROM 'a'", action(30));
  const std::string payload = R"({"a":")" + std::string(200'000, 'x') + R"("})";
  const auto alone = match("a", "a", payload);
  EXPECT_TRUE(alone.deliveries.empty());
  ASSERT_EQ(alone.failures.size(), 1U);
  EXPECT_EQ(alone.failures.front().first, "a_large");

  for (int i = 10; i < 40; ++i) put("b" + std::to_string(i), "SELECT 1 AS b FROM 'a'", action(15));
  const auto many = match("a", "a", payload);
  EXPECT_GT(many.deliveries.size(), 5U);
  EXPECT_LT(many.bytes, std::size_t{37} << 20U);
  EXPECT_EQ(many.deliveries.size() + many.failures.size(), 31U);
}

TEST_F(RuleMatching, BytesThatAreNoTextGoTheirWayAsBase64) {
  put("all", "SELECT * FROM 'a'", kS3);
  const auto found = match("a", "a", std::string("\xFF\0x", 3));
  ASSERT_EQ(found.deliveries.size(), 1U);
  EXPECT_EQ(found.deliveries.front().input, "/wB4");
  EXPECT_TRUE(found.deliveries.front().target.contains("IsBase64"));
}

TEST_F(RuleMatching, WhatFailsForGoodIsToldToTheErrorAction) {
  put("hot", "SELECT * FROM 'plant/+'", kS3,
      R"({"cloudwatchLogs":{"roleArn":"arn:r","logGroupName":"g-${topic(2)}"}})");
  Rules rules(*database_, clock_);
  EventQueue queue(*database_, clock_, arns_, rules);
  queue.deliver(match("plant/+", "plant/4", R"({"a":2})").deliveries);
  auto due = queue.due(10);
  ASSERT_EQ(due.size(), 1U);
  queue.settle({{due.front(), {Outcome::Kind::refused, "NO_RESOURCE", "no such bucket"}}});
  due = queue.due(10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due.front().target_arn(), "arn:aws:logs:us-east-1:000000000000:log-group:g-4");
  const json::object told = object(due.front().input);
  EXPECT_EQ(told.at("ruleName"), "hot");
  EXPECT_EQ(told.at("topic"), "plant/4");
  EXPECT_EQ(told.at("base64OriginalPayload"), "eyJhIjoyfQ==");
  EXPECT_EQ(base::to_text(told.at("failures")),
            R"([{"failedAction":"S3Action","failedResource":"arn:aws:s3:::b",)"
            R"("errorMessage":"no such bucket"}])");
  // Its own failure is told to nobody.
  queue.settle({{due.front(), {Outcome::Kind::refused, "NO_RESOURCE", "no such group"}}});
  EXPECT_TRUE(queue.due(10).empty());
}

TEST_F(RuleMatching, NothingIsTakenInWhereThereIsNoRoom) {
  Rules rules(*database_, clock_);
  EventQueue queue(*database_, clock_, arns_, rules, {.deliveries = 1});
  put("all", "SELECT * FROM 'a'", kS3);
  queue.deliver(match("a", "a", "{}").deliveries);
  EXPECT_FALSE(queue.has_room_to_deliver());
  EXPECT_THROW(queue.deliver(match("a", "a", "{}").deliveries), base::Error);
}

TEST_F(RuleMatching, RulesAreKeptUnderTheirNames) {
  put("b", "SELECT * FROM 'b'", kS3);
  put("a", "SELECT * FROM 'a'", kS3);
  EXPECT_THROW(put("a", "SELECT * FROM 'a'", kS3), base::Error);
  EXPECT_THROW(put("a-b", "SELECT * FROM 'a'", kS3), base::Error);
  EXPECT_THROW(put("c", "SELECT FROM 'a'", kS3), base::Error);
  auto all = rules_.list("", 10);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "a");
  all[0].sql = "SELECT x FROM 'c'";
  rules_.replace(all[0]);
  EXPECT_EQ(rules_.find("a")->sql, "SELECT x FROM 'c'");
  rules_.remove("a");
  rules_.remove("a");
  EXPECT_FALSE(rules_.find("a"));
  EXPECT_THROW(rules_.enable("a", true), base::Error);
}

}  // namespace
}  // namespace andon::events
