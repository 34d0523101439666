// SPDX-License-Identifier: Apache-2.0
#include "query/rulesql/rule_sql.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "query/rulesql/rule_time.hpp"

namespace andon::query {
namespace {

constexpr std::string_view kMessage =
    R"({"temperature":21.5,"count":3,"name":"Line 4","flag":true,"none":null,)"
    R"("state":{"reported":{"speed":7}},"list":[10,20,{"a":"x"}]})";

RuleMessage message(const base::json::value& payload, std::string_view bytes = kMessage) {
  return {.topic = "plant/line-4/oven",
          .payload = &payload,
          .bytes = bytes,
          .account = "000000000000",
          .trace_id = "trace",
          .time = base::from_epoch_millis(1'795'343'912'345)};
}

// What the statement selects of kMessage, or "nothing".
std::string selected(std::string_view sql) {
  const auto payload = base::parse_json(kMessage, "test");
  const auto found = RuleSql(sql).select(message(payload));
  return found ? found->text : "nothing";
}
// What an expression is.
std::string value(const std::string& expression) {
  const std::string made = selected("SELECT " + expression + " AS v FROM 'a'");
  return made == "{}" ? "undefined" : made.substr(5, made.size() - 6);
}
bool matches(const std::string& where) {
  return selected("SELECT count FROM 'a' WHERE " + where) != "nothing";
}

TEST(RuleSql, SelectsAllOrSomeOfAMessageUnderItsOwnAndOtherNames) {
  EXPECT_EQ(selected("SELECT * FROM 'plant/+/oven'"), kMessage);
  EXPECT_EQ(RuleSql("select * from 'plant/+/oven'").filter(), "plant/+/oven");
  EXPECT_EQ(selected("SELECT count, state.reported.speed, name AS line FROM 'a'"),
            R"({"count":3,"speed":7,"line":"Line 4"})");
  EXPECT_EQ(selected("SELECT count AS a.b, name AS a.c FROM 'a'"), R"({"a":{"b":3,"c":"Line 4"}})");
  EXPECT_EQ(selected("SELECT state.reported.*, topic(2) AS line FROM 'a'"),
            R"({"speed":7,"line":"line-4"})");
}

TEST(RuleSql, WhatIsNotThereIsLeftOut) {
  EXPECT_EQ(selected("SELECT count, absent, state.absent.more FROM 'a'"), R"({"count":3})");
  EXPECT_EQ(value("none"), "null");
  EXPECT_EQ(value("list[5]"), "undefined");
  EXPECT_EQ(value("isUndefined(absent)"), "true");
  EXPECT_EQ(value("isNull(none)"), "true");
}

TEST(RuleSql, WhereSaysWhichMessages) {
  EXPECT_TRUE(matches("temperature > 20 AND count <= 3"));
  EXPECT_FALSE(matches("temperature > 20 AND NOT flag"));
  EXPECT_TRUE(matches("count <= 4 AND count >= 2 AND count < 4 AND count > 2"));
  for (const char* wrong : {"count <= 2", "count >= 4", "count < 3", "count > 3"}) {
    EXPECT_FALSE(matches(wrong)) << wrong;
  }
  EXPECT_TRUE(matches("absent = 1 OR flag"));
  EXPECT_FALSE(matches("absent = 1"));
  EXPECT_FALSE(matches("NOT absent = 1"));
  EXPECT_TRUE(matches("name <> 'Line 5'"));
  EXPECT_TRUE(matches("count = '3'"));
  EXPECT_TRUE(matches("name IN ['Line 3', 'Line 4']"));
  EXPECT_TRUE(matches("count NOT IN (1, 2)"));
  EXPECT_TRUE(matches("\"state\".reported.speed % 2 = 1"));
  EXPECT_FALSE(matches("count"));
}

TEST(RuleSql, Calculates) {
  EXPECT_EQ(value("1 + 2 * 3"), "7");
  EXPECT_EQ(value("(1 + 2) * 3"), "9");
  EXPECT_EQ(value("7 / 2"), "3.5");
  EXPECT_EQ(value("8 / 2"), "4");
  EXPECT_EQ(value("7 % 4 - -1"), "4");
  EXPECT_EQ(value("1 / 0"), "undefined");
  EXPECT_EQ(value("9223372036854775807 + 1 > 9.2e18"), "true");
  EXPECT_EQ(value("(0 - 9223372036854775807 - 1) / -1 > 9.2e18"), "true");
  EXPECT_EQ(value("'a' + 1"), "\"a1\"");
  EXPECT_EQ(value("'2' * '3'"), "6");
  EXPECT_EQ(value("CASE count WHEN 3 THEN 'three' ELSE 'other' END"), "\"three\"");
  EXPECT_EQ(value("CASE WHEN count > 5 THEN 1 END"), "undefined");
  EXPECT_EQ(value("CAST('12.7' AS Int)"), "12");
  EXPECT_EQ(value("{'a': [count, absent, 'x'], b: list[2].a}"), R"({"a":[3,"x"],"b":"x"})");
}

TEST(RuleSql, HasTheFunctionsThatRulesUse) {
  EXPECT_EQ(value("topic()"), "\"plant/line-4/oven\"");
  EXPECT_EQ(value("topic(2)"), "\"line-4\"");
  EXPECT_EQ(value("topic(9)"), "undefined");
  EXPECT_EQ(value("timestamp()"), "1795343912345");
  EXPECT_EQ(value("accountid()"), "\"000000000000\"");
  EXPECT_EQ(value("upper(name) + lower('ABC')"), "\"LINE 4abc\"");
  EXPECT_EQ(value("substring(name, 5)"), "\"4\"");
  EXPECT_EQ(value("substring(name, 0, 4)"), "\"Line\"");
  EXPECT_EQ(value("length(name)"), "6");
  EXPECT_EQ(value("startswith(name, 'Line')"), "true");
  EXPECT_EQ(value("endswith(name, '5')"), "false");
  EXPECT_EQ(value("indexof(name, '4')"), "5");
  EXPECT_EQ(value("replace(name, 'i', 'oo')"), "\"Loone 4\"");
  EXPECT_EQ(value("regexp_matches(name, '[0-9]$')"), "true");
  EXPECT_EQ(value("regexp_substr(name, '[0-9]+')"), "\"4\"");
  EXPECT_EQ(value("regexp_replace(name, '[a-z]', '')"), "\"L 4\"");
  EXPECT_EQ(value("concat(name, '-', count)"), "\"Line 4-3\"");
  EXPECT_EQ(value("trim('  a ')"), "\"a\"");
  EXPECT_EQ(value("abs(-2) + ceil(1.2) + floor(1.8) + round(2.5)"), "8");
  EXPECT_EQ(value("sqrt(-1)"), "undefined");
  EXPECT_EQ(value("trunc(1.239, 2)"), "1.23");
  EXPECT_EQ(value("get(list, 1)"), "20");
  EXPECT_EQ(value("encode('ab', 'base64')"), "\"YWI=\"");
  EXPECT_EQ(value("decode('eyJhIjoxfQ==', 'base64')"), R"({"a":1})");
  EXPECT_EQ(value("parse_time('yyyy-MM-dd HH:mm', timestamp())"), "\"2026-11-22 10:38\"");
  EXPECT_EQ(value("length(newuuid())"), "36");
}

TEST(RuleSql, TimesAreWrittenAndReadByTheirPattern) {
  const auto time = base::from_epoch_millis(1'795'343'912'345);
  const auto pattern = "EEE, yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
  const auto text = format_rule_time(pattern, time);
  EXPECT_EQ(text, "Sun, 2026-11-22T10:38:32.345Z");
  EXPECT_EQ(parse_rule_time(pattern, *text), time);
  EXPECT_EQ(parse_rule_time("dd MMM yyyy HH:mm Z", "22 Nov 2026 12:38 +0200"),
            base::from_epoch_millis(1'795'343'880'000));
  EXPECT_FALSE(format_rule_time("QQ", time));
  EXPECT_FALSE(parse_rule_time("yyyy-MM-dd", "2026-13-01"));
  EXPECT_FALSE(parse_rule_time("yyyy", "2026 and more"));
}

TEST(RuleSql, WhatIsNoJsonGoesThroughAsItIsWhereAllIsSelected) {
  RuleMessage raw = message({}, "\x01\x02");
  raw.payload = nullptr;
  const auto all = RuleSql("SELECT * FROM 'a'").select(raw);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->text, "\x01\x02");
  EXPECT_FALSE(all->is_json);
  EXPECT_EQ(RuleSql("SELECT topic(1) AS t, a FROM 'a'").select(raw)->text, R"({"t":"plant"})");
}

TEST(RuleSql, WhatItCannotReadIsRefusedWithThePlace) {
  const auto refusal = [](const std::string& sql) {
    try {
      const RuleSql read(sql);
    } catch (const base::Error& error) {
      return error.message();
    }
    return std::string("taken");
  };
  EXPECT_EQ(refusal("SELECT * FROM plant"),
            "SQL, at character 15: FROM must be followed by a topic filter in single quotes, not "
            "'plant'");
  EXPECT_EQ(refusal("SELECT aws_lambda('x', *) AS a FROM 'a'"),
            "SQL, at character 8: there is no function aws_lambda() on this server");
  for (const char* sql :
       {"", "SELECT", "SELECT * FROM 'a' WHERE", "SELECT * FROM 'a", "SELECT a + 1 FROM 'a'",
        "SELECT topic(1, 2) FROM 'a'", "SELECT * FROM 'a' more",
        "SELECT a FROM 'a' WHERE EXISTS (1)", "SELECT (SELECT 1) AS a FROM 'a'",
        "SELECT CAST(a AS Date) AS b FROM 'a'", "SELECT ; FROM 'a'"}) {
    EXPECT_NE(refusal(sql), "taken") << sql;
  }
  std::string deep = "1";
  for (int i = 0; i < 100; ++i) deep = "(" + deep + ")";
  EXPECT_NE(refusal("SELECT " + deep + " AS a FROM 'a'"), "taken");
  EXPECT_NE(refusal("SELECT a" + std::string(20'000, ' ') + " FROM 'a'"), "taken");
}

TEST(RuleSql, AnEvaluationIsBounded) {
  const base::json::value payload = base::json::string(std::string(600'000, 'x'));
  std::string many = "SELECT * AS a0";
  for (int i = 1; i < 100; ++i) many += ", * AS a" + std::to_string(i);
  const std::string bytes(800'000, 'x');
  EXPECT_THROW((void)RuleSql(many + " FROM 'a'").select(message(payload, bytes)), base::Error);
  const RuleSql growing("SELECT concat(*, *) AS a FROM 'a'");
  EXPECT_EQ(growing.select(message(payload, bytes))->text, "{}");
}

TEST(RuleSql, ACaseWithinTheSubjectOfAnotherIsReadInTheRoomOfItsText) {
  std::string nested = "a";
  for (int i = 0; i < 8; ++i) {
    std::string outer = "CASE " + nested;
    for (int k = 0; k < 60; ++k)
      outer += " WHEN " + std::to_string(k) + " THEN " + std::to_string(k);
    nested = outer + " END";
  }
  const base::json::value payload{{"a", 7}};
  EXPECT_EQ(RuleSql("SELECT " + nested + " AS b FROM 'a'").select(message(payload))->text,
            R"({"b":7})");
}

TEST(RuleSql, PatternsTakeTheStepsOfOneEvaluationTogether) {
  // Each search for itself reads to the end of the text, in vain.
  const base::json::value payload{{"a", std::string(100'000, 'a')}};
  const std::string call = "regexp_replace(a, 'a(.*b)?', 'x')";
  std::string sql = "SELECT length(" + call + ") AS b0";
  for (int i = 1; i < 50; ++i) sql += ", length(" + call + ") AS b" + std::to_string(i);
  Regex::Work work;
  const Regex regex("a(.*b)?", {});
  const std::string text(100'000, 'a');
  (void)regex.search(text, 0, work);
  ASSERT_GT(work.steps, text.size());
  work.most = work.steps + 10;
  EXPECT_THROW((void)regex.search(text, 1, work), base::Error);
  EXPECT_LE(work.steps, work.most + 1);
  EXPECT_EQ(RuleSql(sql + " FROM 'a'").select(message(payload))->text, "{}");
}

TEST(RuleText, FillsInWhatStandsInBraces) {
  const auto payload = base::parse_json(kMessage, "test");
  const RuleMessage given = message(payload);
  EXPECT_EQ(RuleText("a/${topic(2)}/${parse_time('yyyy', timestamp())}.json").fill(given),
            "a/line-4/2026.json");
  EXPECT_EQ(RuleText("${state.reported.speed}-${get({'a':'}'}, 'a')}-${absent}").fill(given),
            "7-}-undefined");
  EXPECT_EQ(RuleText("plain").fill(given), "plain");
  EXPECT_FALSE(RuleText("plain").has_expressions());
  EXPECT_THROW(RuleText("${a"), base::Error);
  EXPECT_THROW(RuleText("${a b}"), base::Error);
}

}  // namespace
}  // namespace andon::query
