// SPDX-License-Identifier: Apache-2.0
#include "inspect/verdict/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace andon::inspect {
namespace {

using base::JsonReader;
namespace json = base::json;

constexpr std::size_t kMostNameBytes = 128;
constexpr std::int64_t kMostFindings = 1'000'000;
constexpr std::array<std::pair<std::string_view, Judgement>, 3> kJudgements = {
    {{"OK", Judgement::ok}, {"DOUBT", Judgement::doubt}, {"NG", Judgement::ng}}};

double share(const JsonReader& rule, std::string_view key, double otherwise) {
  const double value = rule.optional_number(key).value_or(otherwise);
  if (!(value >= 0 && value <= 1)) {
    rule.fail(key, fmt::format("is {}, not within 0 and 1", value));
  }
  return value;
}

std::optional<VerdictRule::Region> read_region(const JsonReader& rule) {
  constexpr const char* kForm = "must be [x, y, width, height], shares of the picture from 0 to 1";
  const json::array* const numbers = rule.optional_array("region");
  if (numbers == nullptr) return std::nullopt;
  if (numbers->size() != 4) rule.fail("region", kForm);
  std::array<double, 4> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(*numbers)[i].is_number()) rule.fail("region", kForm);
    values[i] = (*numbers)[i].to_number<double>();
    if (!(values[i] >= 0 && values[i] <= 1)) rule.fail("region", kForm);
  }
  const VerdictRule::Region region{values[0], values[1], values[2], values[3]};
  if (!(region.width > 0 && region.height > 0)) rule.fail("region", "has no area");
  return region;
}

VerdictRule read_rule(const JsonReader& reader, std::size_t number) {
  reader.allow_only({"name", "class", "minScore", "maxScore", "minArea", "maxArea", "region",
                     "atLeast", "atMost", "verdict"});
  VerdictRule rule;
  rule.name = reader.optional_string("name").value_or(fmt::format("rule {}", number + 1));
  if (rule.name.size() > kMostNameBytes) {
    reader.fail("name", fmt::format("is longer than {} bytes", kMostNameBytes));
  }
  rule.label = reader.optional_string("class").value_or("");
  rule.min_score = reader.optional_number("minScore").value_or(rule.min_score);
  rule.max_score = reader.optional_number("maxScore").value_or(rule.max_score);
  if (!(rule.min_score <= rule.max_score)) {
    reader.fail("minScore",
                fmt::format("is {}, more than maxScore ({})", rule.min_score, rule.max_score));
  }
  rule.min_area = share(reader, "minArea", 0);
  rule.max_area = share(reader, "maxArea", 1);
  if (rule.min_area > rule.max_area) {
    reader.fail("minArea",
                fmt::format("is {}, more than maxArea ({})", rule.min_area, rule.max_area));
  }
  rule.region = read_region(reader);
  const auto at_most = reader.optional_integer("atMost", 0, kMostFindings);
  rule.at_least = reader.optional_integer("atLeast", 0, kMostFindings).value_or(at_most ? 0 : 1);
  rule.at_most = at_most.value_or(rule.at_most);
  if (rule.at_least > rule.at_most) {
    reader.fail("atLeast",
                fmt::format("is {}, more than atMost ({})", rule.at_least, rule.at_most));
  }
  rule.judgement = reader.choice("verdict", kJudgements).value_or(Judgement::ng);
  return rule;
}

bool is_in(const vision::Box& box, const VerdictRule::Region& region, vision::Size picture) {
  const double x = (box.x + box.width / 2) / static_cast<double>(picture.width);
  const double y = (box.y + box.height / 2) / static_cast<double>(picture.height);
  return x >= region.x && x <= region.x + region.width && y >= region.y &&
         y <= region.y + region.height;
}

bool fits(const VerdictRule& rule, const Finding& finding, vision::Size picture) {
  if (!rule.label.empty() && finding.label != rule.label) return false;
  if (!(finding.score >= rule.min_score && finding.score <= rule.max_score)) return false;
  const double pixels = static_cast<double>(picture.width) * picture.height;
  const double area = finding.box && pixels > 0
                          ? static_cast<double>(finding.box->width) * finding.box->height / pixels
                          : 1;
  if (area < rule.min_area || area > rule.max_area) return false;
  return !rule.region || !finding.box || is_in(*finding.box, *rule.region, picture);
}

}  // namespace

std::string_view to_string(Judgement judgement) {
  const auto* const known =
      std::ranges::find(kJudgements, judgement, &std::pair<std::string_view, Judgement>::second);
  return known->first;
}

VerdictRules read_verdict_rules(const JsonReader& section) {
  section.allow_only({"rules", "otherwise", "unreadable", "late"});
  VerdictRules rules;
  const auto given = section.children("rules");
  if (given.size() > kMostVerdictRules) {
    section.fail("rules", fmt::format("has {} rules, at most {} are looked at", given.size(),
                                      kMostVerdictRules));
  }
  for (std::size_t i = 0; i < given.size(); ++i) rules.rules.push_back(read_rule(given[i], i));
  rules.otherwise = section.choice("otherwise", kJudgements).value_or(rules.otherwise);
  rules.unreadable = section.choice("unreadable", kJudgements).value_or(rules.unreadable);
  rules.late = section.choice("late", kJudgements).value_or(rules.late);
  return rules;
}

Verdict decide(const VerdictRules& rules, std::span<const Finding> findings, vision::Size picture) {
  for (const VerdictRule& rule : rules.rules) {
    const auto count = std::ranges::count_if(
        findings, [&](const Finding& finding) { return fits(rule, finding, picture); });
    if (count >= rule.at_least && count <= rule.at_most) return {rule.judgement, rule.name};
  }
  return {rules.otherwise, ""};
}

Verdict unreadable(const VerdictRules& rules) {
  return {rules.unreadable, std::string(kUnreadableRule)};
}

}  // namespace andon::inspect
