// SPDX-License-Identifier: Apache-2.0
#include "api/results/results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/results/result_intake.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ResultOperationsTest : public testing::Test {
 protected:
  json::object call(std::string_view name, const json::object& input) {
    const auto found = std::ranges::find(operations_, name, &Operation::name);
    const Caller caller{"AKIA", "operator", "000000000000", "us-east-1"};
    return found->handler({caller, input}).as_object();
  }
  ErrorCode refused(std::string_view name, const json::object& input) {
    try {
      (void)call(name, input);
    } catch (const base::Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "it was taken";
    return ErrorCode::internal;
  }
  // As a device says it.
  void put(const std::string& thing, const std::string& image, double confidence) {
    clock_.advance(std::chrono::seconds(1));
    const json::object message{
        {"timestamp", base::to_iso8601(clock_.now())},
        {"image", {{"name", image}}},
        {"detections", json::array{{{"label", "scratch"}, {"confidence", confidence}}}}};
    results_.put({control::read_result(thing, base::to_text(message), clock_.now())});
  }
  std::vector<std::string> images(const json::object& page) {
    std::vector<std::string> all;
    for (const auto& one : page.at("results").as_array()) {
      all.emplace_back(one.at("image").as_string());
    }
    return all;
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "results.db");
  control::Results results_{*database_, clock_, {}};
  control::ControlFixture plant_;
  std::vector<Operation> operations_ = result_operations(results_, plant_.control().things);
};

TEST_F(ResultOperationsTest, ListsInPagesAsTheQuerySays) {
  put("line-1", "a", 0.5);
  put("line-1", "b", 0.9);
  put("line-2", "c", 0.9);
  EXPECT_THAT(images(call("ListResults", {})), ElementsAre("c", "b", "a"));
  EXPECT_THAT(images(call("ListResults", {{"thing", "line-1"}, {"minScore", "0.6"}})),
              ElementsAre("b"));
  EXPECT_THAT(images(call("ListResults", {{"maxScore", "0.6"}})), ElementsAre("a"));
  EXPECT_THAT(images(call("ListResults", {{"class", "dent"}})), ElementsAre());
  EXPECT_THAT(images(call("ListResults", {{"from", base::to_iso8601(clock_.now())}})),
              ElementsAre("c"));
  EXPECT_THAT(images(call("ListResults", {{"until", base::to_iso8601(clock_.now())}})),
              ElementsAre("b", "a"));
  const json::object first = call("ListResults", {{"maxResults", "2"}});
  EXPECT_THAT(images(first), ElementsAre("c", "b"));
  EXPECT_EQ(first.at("newestId"), "3");
  EXPECT_THAT(images(call("ListResults", {{"nextToken", first.at("nextToken")}})),
              ElementsAre("a"));
  EXPECT_THAT(images(call("ListResults", {{"afterId", "1"}})), ElementsAre("b", "c"));
}

TEST_F(ResultOperationsTest, RefusesWhatItCannotRead) {
  for (const json::object& input :
       {json::object{{"from", "yesterday"}}, json::object{{"minScore", "much"}},
        json::object{{"minScore", "nan"}}, json::object{{"maxScore", "x"}},
        json::object{{"nextToken", "abc"}}, json::object{{"maxResults", "0"}},
        json::object{{"maxResults", "9999"}}, json::object{{"afterId", "x"}}}) {
    EXPECT_EQ(refused("ListResults", input), ErrorCode::invalid_argument) << base::to_text(input);
  }
  EXPECT_EQ(refused("ExportResults", {{"format", "xml"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refused("GetResult", {{"resultId", "7"}}), ErrorCode::not_found);
  EXPECT_EQ(refused("GetResult", {{"resultId", "x"}}), ErrorCode::not_found);
  EXPECT_EQ(refused("ConfirmResult", {{"resultId", "7"}}), ErrorCode::not_found);
}

TEST_F(ResultOperationsTest, WhoReviewsOneIsNotedByTheArn) {
  const auto database = store::open_sqlite(directory_.path() / "andon.db");
  control::AccessKeys keys(*database, clock_);
  const control::Iam iam(*database, keys, clock_, "000000000000");
  const fleet::Arns arns;
  const Authorizer authorizer(iam, clock_, arns);
  operations_ = result_operations(results_, plant_.control().things, {}, &authorizer);
  put("line-1", "a", 0.5);
  EXPECT_EQ(call("ConfirmResult", {{"resultId", "1"}}).at("by"), "arn:aws:iam::000000000000:root");
  EXPECT_EQ(call("OverruleResult", {{"resultId", "1"}, {"class", ""}}).at("by"),
            "arn:aws:iam::000000000000:root");
}

TEST_F(ResultOperationsTest, AResultIsConfirmedAndOverruledBesideIt) {
  put("line-1", "a", 0.5);
  const json::object confirmed = call("ConfirmResult", {{"resultId", "1"}});
  EXPECT_EQ(confirmed.at("by"), "operator");
  (void)call("OverruleResult", {{"resultId", "1"}, {"class", ""}, {"note", "dust"}});
  const json::object result = call("GetResult", {{"resultId", "1"}});
  EXPECT_EQ(result.at("class"), "scratch");
  EXPECT_EQ(result.at("message").at("image").at("name"), "a");
  EXPECT_EQ(result.at("review").at("kind"), "OVERRULED");
  EXPECT_EQ(result.at("review").at("class"), "");
  EXPECT_EQ(result.at("reviews").as_array().size(), 2U);
  EXPECT_EQ(refused("OverruleResult", {{"resultId", "1"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refused("ConfirmResult", {{"resultId", "1"}, {"note", std::string(2001, 'x')}}),
            ErrorCode::invalid_argument);
}

TEST_F(ResultOperationsTest, ExportsLinesAndTables) {
  put("line-1", "a", 0.5);
  put("line-1", "b,\"c\"", 0.25);
  const json::object lines = call("ExportResults", {});
  const std::string content(lines.at("content").as_string());
  EXPECT_EQ(std::ranges::count(content, '\n'), 2);
  EXPECT_THAT(content, HasSubstr(R"("message":{)"));
  const json::object csv = call("ExportResults", {{"format", "csv"}, {"maxResults", "1"}});
  const std::string first(csv.at("content").as_string());
  EXPECT_THAT(first, StartsWith(kResultCsvHeading));
  EXPECT_THAT(first, HasSubstr("\n2,line-1,"));
  EXPECT_THAT(first, HasSubstr(R"(,"b,""c""",)"));
  const json::object rest =
      call("ExportResults", {{"format", "csv"}, {"nextToken", csv.at("nextToken")}});
  EXPECT_THAT(std::string(rest.at("content").as_string()), StartsWith("1,line-1,"));
}

TEST_F(ResultOperationsTest, APicturesNameIsNoFormula) {
  put("line-1", "=cmd|' /C calc'!A0", 0.5);
  const std::string content(call("ExportResults", {{"format", "csv"}}).at("content").as_string());
  EXPECT_THAT(content, HasSubstr(R"(,"'=cmd|' /C calc'!A0",)"));
}

TEST_F(ResultOperationsTest, WhatIsNoResultIsShownAsItCame) {
  results_.put({control::read_result("line-1", "hello", clock_.now())});
  const json::object result = call("GetResult", {{"resultId", "1"}});
  EXPECT_EQ(result.at("raw"), "hello");
  EXPECT_TRUE(result.contains("problem"));
  EXPECT_FALSE(result.contains("message"));
}

TEST_F(ResultOperationsTest, CountsByHour) {
  put("line-1", "a", 0.5);
  put("line-1", "b", 0.5);
  const json::object counted = call("CountResults", {{"thing", "line-1"}});
  ASSERT_EQ(counted.at("counts").as_array().size(), 1U);
  EXPECT_EQ(counted.at("counts").at(0).at("count"), 2);
  EXPECT_EQ(counted.at("counts").at(0).at("class"), "scratch");
}

TEST_F(ResultOperationsTest, SaysWhereTheUploadedPictureIs) {
  std::vector<std::string> asked;
  operations_ = result_operations(results_, plant_.control().things, [&](const std::string& key) {
    asked.push_back(key);
    return key.ends_with("/a");
  });
  put("line-1", "a", 0.5);
  put("line-1", "b", 0.5);
  const std::string day = base::to_iso8601(clock_.now()).substr(0, 10);
  EXPECT_FALSE(call("ListResults", {}).at("results").at(1).as_object().contains("picture"));
  EXPECT_TRUE(asked.empty());
  const json::object page = call("ListResults", {{"includePictures", "true"}});
  EXPECT_FALSE(page.at("results").at(0).as_object().contains("picture"));
  EXPECT_EQ(page.at("results").at(1).at("picture").as_string(),
            std::string("s3://andon-uploads/line-1/") + day.substr(0, 4) + "/" + day.substr(5, 2) +
                "/" + day.substr(8) + "/a");
  EXPECT_EQ(call("GetResult", {{"resultId", "1"}}).at("picture"),
            page.at("results").at(1).at("picture"));
}

TEST_F(ResultOperationsTest, ListsExportsAndCountsWhatThingsOfAGroupFound) {
  control::Things& things = plant_.control().things;
  things.create_group("hall", "", "", {});
  things.create_group("press", "hall", "", {});
  for (const char* thing : {"line-1", "line-2", "line-3"}) things.create(thing, {});
  things.add_to_group("line-1", "hall");
  things.add_to_group("line-2", "press");
  for (const char* thing : {"line-1", "line-2", "line-3"}) put(thing, thing, 0.5);
  const json::object hall{{"thingGroupName", "hall"}};
  EXPECT_THAT(images(call("ListResults", hall)), ElementsAre("line-2", "line-1"));
  EXPECT_THAT(images(call("ListResults", {{"thingGroupName", "press"}})), ElementsAre("line-2"));
  EXPECT_THAT(images(call("ListResults", {{"thingGroupName", "hall"}, {"afterId", "1"}})),
              ElementsAre("line-2"));
  EXPECT_THAT(images(call("ListResults", {{"thingGroupName", "hall"}, {"thing", "line-3"}})),
              ElementsAre());
  EXPECT_THAT(images(call("ListResults",
                          {{"thingGroupName", "hall"}, {"class", "scratch"}, {"minScore", "0.4"}})),
              ElementsAre("line-2", "line-1"));
  const std::string exported(call("ExportResults", hall).at("content").as_string());
  EXPECT_EQ(std::ranges::count(exported, '\n'), 2);
  EXPECT_EQ(base::to_text(call("CountResults", {{"thingGroupName", "hall"}, {"groupBy", "thing"}})),
            R"({"counts":[{"thing":"line-1","count":1},{"thing":"line-2","count":1}]})");
  // Whoever is in it when it is asked.
  things.remove_from_group("line-2", "press");
  EXPECT_THAT(images(call("ListResults", hall)), ElementsAre("line-1"));
  EXPECT_THAT(images(call("ListResults", {{"thingGroupName", "press"}})), ElementsAre());
  for (const char* name : {"ListResults", "ExportResults", "CountResults"}) {
    EXPECT_EQ(refused(name, {{"thingGroupName", "attic"}}), ErrorCode::not_found) << name;
    EXPECT_EQ(refused(name, {{"thingGroupName", ""}}), ErrorCode::invalid_argument) << name;
  }
}

TEST_F(ResultOperationsTest, CountsByWhatIsAskedForAndByShift) {
  clock_.advance(base::SystemClock().now() - std::chrono::hours(5) - clock_.now());
  put("line-1", "a", 0.5);
  put("line-2", "b", 0.5);
  EXPECT_EQ(base::to_text(call("CountResults", {{"groupBy", "none"}})),
            R"({"counts":[{"count":2}]})");
  EXPECT_EQ(base::to_text(call("CountResults", {{"groupBy", "thing,verdict"}})),
            R"({"counts":[{"thing":"line-1","verdict":"","count":1},)"
            R"({"thing":"line-2","verdict":"","count":1}]})");
  for (const char* bad : {"line", "thing,,class", "none,thing", "hour,shift"}) {
    EXPECT_EQ(refused("CountResults", {{"groupBy", bad}}), ErrorCode::invalid_argument) << bad;
  }
  EXPECT_EQ(refused("CountResults", {{"groupBy", "shift"}}), ErrorCode::failed_precondition);
  const json::object plan{{"timeZone", "UTC"},
                          {"shifts", json::array{{{"name", "day"}, {"start", "00:00"}}}}};
  EXPECT_EQ(call("PutShifts", plan), plan);
  EXPECT_EQ(call("GetShifts", {}), plan);
  EXPECT_EQ(refused("PutShifts", {{"shifts", "x"}}), ErrorCode::invalid_argument);
  const json::object counted = call("CountResults", {{"groupBy", "shift"}});
  ASSERT_EQ(counted.at("counts").as_array().size(), 1U);
  const json::value& one = counted.at("counts").at(0);
  EXPECT_EQ(one.at("count"), 2);
  EXPECT_EQ(one.at("shift"), "day");
  EXPECT_EQ(one.at("day").as_string(), base::to_iso8601(clock_.now()).substr(0, 10));
  plant_.control().things.create_group("hall", "", "", {});
  plant_.control().things.create("line-2", {});
  plant_.control().things.add_to_group("line-2", "hall");
  EXPECT_EQ(call("CountResults", {{"groupBy", "shift"}, {"thingGroupName", "hall"}})
                .at("counts")
                .at(0)
                .at("count"),
            1);
  // In pages of one row each.
  std::size_t rows = 0;
  json::object input{{"groupBy", "shift,thing"}, {"maxResults", "1"}};
  while (true) {
    const json::object page = call("CountResults", input);
    rows += page.at("counts").as_array().size();
    if (!page.contains("nextToken")) break;
    input["nextToken"] = page.at("nextToken");
  }
  EXPECT_EQ(rows, 2U);
  EXPECT_EQ(refused("CountResults", {{"groupBy", "shift"}, {"nextToken", "eHh4"}}),
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace andon::api
