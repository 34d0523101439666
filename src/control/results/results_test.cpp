// SPDX-License-Identifier: Apache-2.0
#include "control/results/results.hpp"

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

class ResultsTest : public testing::Test {
 protected:
  Results& results() {
    if (!results_) results_.emplace(*database_, clock_, limits_);
    return *results_;
  }
  NewResult result(const std::string& image, const std::string& thing = "line-1") {
    return {.thing = thing,
            .time = clock_.now(),
            .image = image,
            .component = "com.ex.Inspect",
            .label = "scratch",
            .score = 0.5,
            .message = "{}"};
  }
  std::vector<std::string> images(const ResultRead& wanted) {
    std::vector<std::string> found;
    for (const auto& one : results().list(wanted).results) found.push_back(one.result.image);
    return found;
  }
  std::int64_t rows(const std::string& table) {
    return database_->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT count(*) FROM " + table)->integer(0);
    });
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "results.db");
  ResultLimits limits_;
  std::optional<Results> results_;
};

TEST_F(ResultsTest, WhatWasPutIsThereAfterARestart) {
  EXPECT_EQ(results().put({result("a.jpg")}), 1U);
  results_.reset();
  const ResultPage page = results().list({});
  ASSERT_EQ(page.results.size(), 1U);
  const StoredResult& stored = page.results.front();
  EXPECT_EQ(stored.result.thing, "line-1");
  EXPECT_EQ(stored.result.time, clock_.now());
  EXPECT_EQ(stored.result.image, "a.jpg");
  EXPECT_EQ(stored.result.label, "scratch");
  EXPECT_EQ(stored.result.score, 0.5);
  EXPECT_EQ(stored.result.message, "{}");
  EXPECT_EQ(results().find(stored.id)->result.image, "a.jpg");
  EXPECT_FALSE(results().find(stored.id + 1));
}

TEST_F(ResultsTest, OneThatComesAgainIsKeptOnce) {
  const NewResult one = result("a.jpg");
  NewResult of_another = one;
  of_another.component = "com.ex.Second";
  EXPECT_EQ(results().put({one, one, of_another}), 2U);
  EXPECT_EQ(results().put({one}), 0U);
  clock_.advance(seconds(1));
  EXPECT_EQ(results().put({result("a.jpg"), result("a.jpg", "line-2")}), 2U);
  EXPECT_EQ(results().totals().results, 4);
}

TEST_F(ResultsTest, WhatCannotBeReadIsKeptOnceWheneverItComes) {
  NewResult odd = result("sha256:00");
  odd.problem = "no timestamp";
  EXPECT_EQ(results().put({odd}), 1U);
  odd.time += seconds(9);
  EXPECT_EQ(results().put({odd}), 0U);
}

TEST_F(ResultsTest, IsListedNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) {
    results().put({result(std::to_string(i))});
    if (i != 2) clock_.advance(seconds(1));  // two of the same moment
  }
  std::vector<std::string> all;
  ResultRead wanted{.limit = 2};
  while (true) {
    const ResultPage page = results().list(wanted);
    for (const auto& one : page.results) all.push_back(one.result.image);
    if (!page.next) break;
    wanted.place = page.next;
  }
  EXPECT_THAT(all, ElementsAre("4", "3", "2", "1", "0"));
}

TEST_F(ResultsTest, IsListedAsItCame) {
  for (const char* image : {"a", "b", "c"}) {
    results().put({result(image)});
    clock_.advance(-seconds(10));
  }
  const auto page = results().list({.order = ResultOrder::as_they_came, .limit = 2});
  EXPECT_EQ(page.results.front().result.image, "a");
  EXPECT_THAT(images({.order = ResultOrder::as_they_came, .place = page.next}), ElementsAre("c"));
}

TEST_F(ResultsTest, IsFoundByThingTimeClassScoreAndVerdict) {
  const auto start = base::to_epoch_millis(clock_.now());
  NewResult dent = result("dent");
  dent.label = "dent";
  dent.score = 0.9;
  dent.verdict = "NG";
  results().put({result("a"), dent});
  clock_.advance(hours(1));
  NewResult nothing = result("nothing");
  nothing.label = "";
  nothing.score.reset();
  results().put({nothing, result("b", "line-2")});
  EXPECT_THAT(images({.filter = {.thing = "line-2"}}), ElementsAre("b"));
  EXPECT_THAT(images({.filter = {.label = "dent"}}), ElementsAre("dent"));
  EXPECT_THAT(images({.filter = {.verdict = "NG"}}), ElementsAre("dent"));
  EXPECT_THAT(images({.filter = {.least_score = 0.6}}), ElementsAre("dent"));
  EXPECT_THAT(images({.filter = {.least_score = 0.5}}), ElementsAre("b", "dent", "a"));
  EXPECT_THAT(images({.filter = {.until_ms = start + 1}}), ElementsAre("dent", "a"));
  EXPECT_THAT(images({.filter = {.until_ms = start}}), ElementsAre());
  EXPECT_THAT(images({.filter = {.thing = "line-1", .from_ms = start + 1}}),
              ElementsAre("nothing"));
  EXPECT_THAT(images({.filter = {.thing = "line-1", .label = "dent", .least_score = 0.95}}),
              ElementsAre());
  EXPECT_THAT(images({.filter = {.thing = "line-1", .label = "scratch"}}), ElementsAre("a"));
  EXPECT_THAT(images({.filter = {.thing = "line-2", .verdict = "NG"}}), ElementsAre());
  EXPECT_THAT(images({.filter = {.label = "dent", .verdict = "NG"}}), ElementsAre("dent"));
  const auto came = ResultOrder::as_they_came;
  EXPECT_THAT(images({.filter = {.thing = "line-1"}, .order = came}),
              ElementsAre("a", "dent", "nothing"));
  EXPECT_THAT(images({.filter = {.label = "dent"}, .order = came}), ElementsAre("dent"));
  EXPECT_THAT(images({.filter = {.verdict = "NG"}, .order = came}), ElementsAre("dent"));
  EXPECT_THAT(images({.filter = {.from_ms = start + 1}, .order = came}),
              ElementsAre("nothing", "b"));
}

TEST_F(ResultsTest, IsFoundAndCountedAmongSomeThings) {
  for (int i = 0; i < 4; ++i) {
    results().put({result("a" + std::to_string(i)), result("b" + std::to_string(i), "line-2"),
                   result("c" + std::to_string(i), "line-3")});
    clock_.advance(seconds(1));
  }
  const std::vector<std::string> two{"line-1", "line-3"};
  std::vector<std::string> all;
  ResultRead wanted{.filter = {.among = two}, .limit = 3};
  while (true) {
    const ResultPage page = results().list(wanted);
    for (const auto& one : page.results) all.push_back(one.result.image);
    if (!page.next) break;
    wanted.place = page.next;
  }
  EXPECT_THAT(all, ElementsAre("c3", "a3", "c2", "a2", "c1", "a1", "c0", "a0"));
  EXPECT_THAT(images({.filter = {.thing = "line-2", .among = two}}), ElementsAre());
  EXPECT_THAT(images({.filter = {.thing = "line-1", .among = two}, .limit = 1}), ElementsAre("a3"));
  EXPECT_THAT(images({.filter = {.label = "scratch", .among = two}, .limit = 2}),
              ElementsAre("c3", "a3"));
  EXPECT_THAT(images({.filter = {.least_score = 0.4, .among = two}, .limit = 2}),
              ElementsAre("c3", "a3"));
  EXPECT_THAT(images({.filter = {.among = two}, .order = ResultOrder::as_they_came, .limit = 3}),
              ElementsAre("a0", "c0", "a1"));
  EXPECT_THAT(images({.filter = {.among = std::vector<std::string>{}}}), ElementsAre());
  // More things than a page may look at one by one: found among the newest.
  std::vector<std::string> many = two;
  for (int i = 0; i < 300; ++i) many.push_back("x" + std::to_string(i));
  EXPECT_THAT(images({.filter = {.among = many}, .limit = 100}),
              ElementsAre("c3", "a3", "c2", "a2", "c1", "a1", "c0", "a0"));
  const CountGroups things{.by_hour = false, .by_thing = true, .by_label = false};
  const auto counted = results().counts({.among = two}, things, {}).items;
  ASSERT_EQ(counted.size(), 2U);
  EXPECT_EQ(counted.back().thing, "line-3");
  EXPECT_EQ(counted.back().count, 4);
}

TEST_F(ResultsTest, AFewThingsAreFoundBehindAnyNumberOfOthersResults) {
  results().put({result("rare", "line-9")});
  std::vector<NewResult> many;
  for (int i = 0; i < 20'100; ++i) {
    clock_.advance(seconds(1));
    many.push_back(result(std::to_string(i)));
  }
  results().put(many);
  const std::vector<std::string> few{"line-8", "line-9"};
  EXPECT_THAT(images({.filter = {.among = few}, .limit = 10}), ElementsAre("rare"));
  // By class too it is found, a page later.
  const ResultPage page = results().list({.filter = {.label = "scratch", .among = few}});
  EXPECT_TRUE(page.results.empty());
  ASSERT_TRUE(page.next);
  EXPECT_THAT(images({.filter = {.label = "scratch", .among = few}, .place = page.next}),
              ElementsAre("rare"));
}

TEST_F(ResultsTest, APageLooksAtABoundedNumberAndSaysThatThereIsMore) {
  std::vector<NewResult> many;
  NewResult rare = result("rare");
  rare.score = 0.99;
  many.push_back(rare);
  for (int i = 0; i < 20'100; ++i) {
    clock_.advance(seconds(1));
    many.push_back(result(std::to_string(i)));
  }
  results().put(many);
  const ResultRead wanted{.filter = {.least_score = 0.9}, .limit = 10};
  const ResultPage page = results().list(wanted);
  EXPECT_TRUE(page.results.empty());
  ASSERT_TRUE(page.next);
  const ResultPage rest = results().list({.filter = wanted.filter, .place = page.next});
  ASSERT_EQ(rest.results.size(), 1U);
  EXPECT_EQ(rest.results.front().result.image, "rare");
  EXPECT_FALSE(rest.next);
}

TEST_F(ResultsTest, CountsAreOfThingHourAndClass) {
  clock_.advance(base::from_epoch_millis(1'795'341'600'000) - clock_.now());  // ten o'clock
  NewResult dent = result("d");
  dent.label = "dent";
  results().put({result("a"), result("b"), dent, result("a", "line-2")});
  clock_.advance(hours(1));
  results().put({result("a")});
  const auto text = [](const ResultCount& one) {
    return one.thing + " " + base::to_iso8601(one.hour).substr(11, 5) + " " + one.label + " " +
           std::to_string(one.count);
  };
  std::vector<std::string> all;
  PageRequest request{.limit = 2};
  while (true) {
    const auto page = results().counts({}, {}, request);
    for (const ResultCount& one : page.items) all.push_back(text(one));
    if (!page.next) break;
    request.after = *page.next;
  }
  EXPECT_THAT(all, ElementsAre("line-1 10:00 dent 1", "line-1 10:00 scratch 2",
                               "line-2 10:00 scratch 1", "line-1 11:00 scratch 1"));
  EXPECT_EQ(results().counts({.thing = "line-2"}, {}, {}).items.size(), 1U);
  EXPECT_EQ(results().counts({.label = "dent"}, {}, {}).items.size(), 1U);
  EXPECT_EQ(results().counts({.from_ms = base::to_epoch_millis(clock_.now())}, {}, {}).items.size(),
            1U);
}

TEST_F(ResultsTest, CountsAreByWhatOneAsksForAndKnowVerdicts) {
  clock_.advance(base::from_epoch_millis(1'795'341'600'000) - clock_.now());  // ten o'clock
  for (const char* verdict : {"OK", "NG", "NG", ""}) {
    NewResult one = result(std::string("a") + verdict + std::to_string(results().totals().results),
                           results().totals().results < 2 ? "line-1" : "line-2");
    one.verdict = verdict;
    results().put({one});
    clock_.advance(std::chrono::minutes(15));
  }
  const auto counted = [&](const ResultFilter& filter, const CountGroups& groups) {
    std::vector<std::string> all;
    PageRequest request{.limit = 1};
    while (true) {
      const auto page = results().counts(filter, groups, request);
      for (const ResultCount& one : page.items) {
        all.push_back(one.thing + one.label + one.verdict + "=" + std::to_string(one.count));
      }
      if (!page.next) return all;
      request.after = *page.next;
    }
  };
  const CountGroups none{.by_hour = false, .by_thing = false, .by_label = false};
  CountGroups verdicts = none;
  verdicts.by_verdict = true;
  CountGroups things = none;
  things.by_thing = true;
  EXPECT_THAT(counted({}, none), ElementsAre("=4"));
  EXPECT_THAT(counted({}, verdicts), ElementsAre("=1", "NG=2", "OK=1"));
  EXPECT_THAT(counted({.verdict = "NG"}, things), ElementsAre("line-1=1", "line-2=1"));
  EXPECT_THAT(counted({}, things), ElementsAre("line-1=2", "line-2=2"));
  CountGroups found = verdicts;
  found.by_found = true;
  EXPECT_THAT(counted({}, found), ElementsAre("=1", "NG=2", "OK=1"));
  // From a quarter of an hour on.
  EXPECT_THAT(counted({.from_ms = 1'795'341'600'000 + 1'800'000}, things), ElementsAre("line-2=2"));
  for (const char* after : {"x", "[]", "[\"a\",\"b\"]", "[1]"}) {
    EXPECT_THROW((void)results().counts({}, things, {.limit = 1, .after = after}), base::Error);
  }
  EXPECT_THROW((void)results().counts({}, {}, {.limit = 1, .after = R"(["x","y","z"])"}),
               base::Error);
}

TEST_F(ResultsTest, ResultsOfBeforeVerdictsWereCountedAreCountedAnew) {
  results().put({result("a"), result("b")});
  results_.reset();
  database_->write([](store::Transaction& tx) {
    // As the first version left it.
    tx.execute("DROP TABLE result_counts", {});
    tx.execute("DROP TABLE result_shifts", {});
    tx.execute("CREATE TABLE result_counts (thing TEXT, hour BIGINT, label TEXT, results BIGINT)",
               {});
    tx.execute("DELETE FROM andon_migration WHERE component = 'results' AND position > 0", {});
  });
  const auto page = results().counts({}, {}, {});
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items.front().count, 2);
}

TEST_F(ResultsTest, ShiftsAreThereAfterARestart) {
  EXPECT_TRUE(results().shifts().shifts.empty());
  results().set_shifts({.zone = "Europe/Berlin", .shifts = {{"early", std::chrono::hours{6}}}});
  results_.reset();
  EXPECT_EQ(results().shifts().zone, "Europe/Berlin");
  ASSERT_EQ(results().shifts().shifts.size(), 1U);
  EXPECT_EQ(results().shifts().shifts.front().start, std::chrono::hours{6});
}

TEST_F(ResultsTest, ReviewsStandBesideTheResult) {
  results().put({result("a")});
  const std::int64_t id = results().list({}).results.front().id;
  EXPECT_FALSE(results().find(id)->review);
  const auto first = results().add_review(id, {.kind = ReviewKind::confirmed, .by = "anna"});
  results().add_review(id, {.kind = ReviewKind::overruled, .label = "dirt", .by = "ben"});
  const auto all = results().reviews(id);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all.front().id, first.id);
  EXPECT_EQ(all.front().by, "anna");
  EXPECT_EQ(all.back().label, "dirt");
  EXPECT_EQ(results().list({}).results.front().review->kind, ReviewKind::overruled);
  EXPECT_EQ(results().find(id)->result.label, "scratch");  // what the model said stays
  try {
    (void)results().add_review(id + 1, {});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
  }
}

TEST_F(ResultsTest, AResultHasABoundedNumberOfReviews) {
  limits_.reviews = 2;
  results().put({result("a")});
  const std::int64_t id = results().list({}).results.front().id;
  for (int i = 0; i < 2; ++i) (void)results().add_review(id, {});
  EXPECT_THROW((void)results().add_review(id, {}), base::Error);
}

TEST_F(ResultsTest, TheOldestOfTheThingWithMostMakeRoom) {
  limits_.total_bytes = 10'000;
  results().put({result("theirs", "line-2")});
  const std::int64_t theirs = results().list({}).results.front().id;
  (void)results().add_review(theirs, {});
  for (int i = 0; i < 200; ++i) {
    clock_.advance(seconds(1));
    results().put({result(std::to_string(i))});
  }
  EXPECT_LE(results().totals().bytes, 10'000);
  EXPECT_TRUE(results().find(theirs));
  EXPECT_THAT(images({.filter = {.thing = "line-1"}, .limit = 2}), ElementsAre("199", "198"));
  // What is counted is what is kept.
  std::int64_t counted = 0;
  for (const auto& one : results().counts({}, {}, {}).items) counted += one.count;
  EXPECT_EQ(counted, results().totals().results);
  EXPECT_EQ(rows("results"), counted);
}

TEST_F(ResultsTest, TheOldGoInStepsWithAllThatIsTheirs) {
  for (int i = 0; i < 5; ++i) results().put({result(std::to_string(i))});
  (void)results().add_review(results().list({}).results.front().id, {});
  clock_.advance(days(91));
  results().put({result("new")});
  EXPECT_EQ(results().sweep(3), 3);
  EXPECT_EQ(results().sweep(3), 2);
  EXPECT_EQ(results().sweep(3), 0);
  EXPECT_EQ(rows("results"), 1);
  EXPECT_EQ(rows("result_reviews"), 0);
  EXPECT_EQ(rows("result_counts"), 1);
  EXPECT_EQ(results().totals().results, 1);
}

}  // namespace
}  // namespace andon::control
