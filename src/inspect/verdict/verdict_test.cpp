// SPDX-License-Identifier: Apache-2.0
#include "inspect/verdict/verdict.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::inspect {
namespace {

constexpr vision::Size kPicture{200, 100};

// Of the rules in `text`, for these findings.
Verdict judge(std::string_view text, const std::vector<Finding>& findings) {
  const base::json::value rules = base::parse_json(text, "test");
  return decide(read_verdict_rules(base::JsonReader(rules, "verdict")), findings, kPicture);
}

Finding scratch(double score, vision::Box box = {90, 40, 20, 20}) {
  return {"scratch", score, box};
}

TEST(Verdict, IsWhatIsSaidOtherwiseWhereNoRuleHolds) {
  EXPECT_EQ(judge("{}", {scratch(1)}), (Verdict{Judgement::ok, ""}));
  EXPECT_EQ(judge(R"({"otherwise": "DOUBT", "rules": [{"class": "dent"}]})", {scratch(1)}),
            (Verdict{Judgement::doubt, ""}));
}

TEST(Verdict, IsOfTheFirstRuleThatHolds) {
  constexpr const char* kRules = R"({"rules": [
      {"name": "allowed", "class": "scratch", "region": [0, 0, 0.25, 1], "verdict": "OK"},
      {"name": "sure", "class": "scratch", "minScore": 0.6},
      {"name": "perhaps", "class": "scratch", "maxScore": 0.6, "verdict": "DOUBT"}]})";
  EXPECT_EQ(judge(kRules, {scratch(0.9)}), (Verdict{Judgement::ng, "sure"}));
  EXPECT_EQ(judge(kRules, {scratch(0.5)}), (Verdict{Judgement::doubt, "perhaps"}));
  EXPECT_EQ(judge(kRules, {scratch(0.9, {10, 40, 20, 20})}), (Verdict{Judgement::ok, "allowed"}));
  EXPECT_EQ(judge(kRules, {}), (Verdict{Judgement::ok, ""}));
  EXPECT_EQ(judge(kRules, {{"dent", 0.9, vision::Box{0, 0, 9, 9}}}), (Verdict{Judgement::ok, ""}));
}

TEST(Verdict, LooksAtTheAreaAndTheMiddleOfABoxAsSharesOfThePicture) {
  constexpr const char* kLarge = R"({"rules": [{"minArea": 0.02}]})";
  EXPECT_EQ(judge(kLarge, {scratch(1, {0, 0, 20, 20})}).judgement, Judgement::ng);
  EXPECT_EQ(judge(kLarge, {scratch(1, {0, 0, 20, 19})}).judgement, Judgement::ok);
  constexpr const char* kSmall = R"({"rules": [{"maxArea": 0.02}]})";
  EXPECT_EQ(judge(kSmall, {scratch(1, {0, 0, 20, 21})}).judgement, Judgement::ok);
  constexpr const char* kRight = R"({"rules": [{"region": [0.5, 0, 0.5, 1]}]})";
  EXPECT_EQ(judge(kRight, {scratch(1, {90, 0, 20, 10})}).judgement, Judgement::ng);
  EXPECT_EQ(judge(kRight, {scratch(1, {88, 0, 20, 10})}).judgement, Judgement::ok);
}

TEST(Verdict, CountsWhatFitsTheRule) {
  constexpr const char* kScrews = R"({"rules": [{"class": "screw", "atMost": 3}]})";
  std::vector<Finding> screws(4, {"screw", 0.9, vision::Box{0, 0, 5, 5}});
  EXPECT_EQ(judge(kScrews, screws).judgement, Judgement::ok);
  screws.pop_back();
  EXPECT_EQ(judge(kScrews, screws).judgement, Judgement::ng);
  EXPECT_EQ(judge(kScrews, {}).judgement, Judgement::ng);
  constexpr const char* kTwo = R"({"rules": [{"class": "scratch", "atLeast": 2}]})";
  EXPECT_EQ(judge(kTwo, {scratch(1)}).judgement, Judgement::ok);
  EXPECT_EQ(judge(kTwo, {scratch(1), scratch(1)}).judgement, Judgement::ng);
}

TEST(Verdict, OfAWholePictureNeedsNoBox) {
  constexpr const char* kRules = R"({"rules": [{"class": "anomaly", "minScore": 12.5}]})";
  EXPECT_EQ(judge(kRules, {{"anomaly", 13, std::nullopt}}).judgement, Judgement::ng);
  EXPECT_EQ(judge(kRules, {{"anomaly", 12, std::nullopt}}).judgement, Judgement::ok);
}

TEST(Verdict, HasABoundOnItsRules) {
  std::string rules = R"({"rules": [{})";
  for (std::size_t i = 1; i <= kMostVerdictRules; ++i) rules += ",{}";
  EXPECT_THROW((void)judge(rules + "]}", {}), base::Error);
}

}  // namespace
}  // namespace andon::inspect
