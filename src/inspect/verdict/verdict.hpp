// SPDX-License-Identifier: Apache-2.0
// Room: verdict. What the line is told of a part: OK, NG or DOUBT, by rules on what was found in
// its picture: class, score, area, region, how many. Rules come with the component's configuration,
// so that an operator changes them without a deployment of code. Pure values; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json_reader.hpp"
#include "vision/findings/findings.hpp"
#include "vision/pixels/image.hpp"

namespace andon::inspect {

enum class Judgement { ok, doubt, ng };
[[nodiscard]] std::string_view to_string(Judgement judgement);  // "OK", "DOUBT", "NG"

struct Verdict {
  Judgement judgement = Judgement::ok;
  std::string rule;  // the one that decided; empty where none held

  bool operator==(const Verdict&) const = default;
};

// One thing that was found. A class that a picture was given, or how unusual it is (class
// "anomaly"), has no box: it is of the whole picture.
struct Finding {
  std::string_view label;
  double score = 0;
  std::optional<vision::Box> box;  // pixels
};

// Holds where at least `at_least` and at most `at_most` findings fit all that it names.
struct VerdictRule {
  // Shares of the picture's width and height.
  struct Region {
    double x = 0;
    double y = 0;
    double width = 1;
    double height = 1;
    bool operator==(const Region&) const = default;
  };

  std::string name;
  std::string label;  // empty: any class
  double min_score = -std::numeric_limits<double>::infinity();
  double max_score = std::numeric_limits<double>::infinity();
  double min_area = 0;  // of the box, as a share of the picture
  double max_area = 1;
  std::optional<Region> region;  // the middle of the box lies in it
  std::int64_t at_least = 1;
  std::int64_t at_most = std::numeric_limits<std::int64_t>::max();
  Judgement judgement = Judgement::ng;

  bool operator==(const VerdictRule&) const = default;
};

struct VerdictRules {
  std::vector<VerdictRule> rules;
  Judgement otherwise = Judgement::ok;   // where no rule holds
  Judgement unreadable = Judgement::ng;  // of a picture that could not be looked at
  Judgement late = Judgement::ng;        // what the line is told where there is none in time

  bool operator==(const VerdictRules&) const = default;
};

inline constexpr std::size_t kMostVerdictRules = 64;
// The rule that a picture which could not be looked at names.
inline constexpr std::string_view kUnreadableRule = "unreadable";

// Of the member "verdict":
//   {"rules": [{"name": "deep scratch", "class": "scratch", "minScore": 0.6, "maxScore": 1,
//     "minArea": 0.001, "maxArea": 1, "region": [0, 0, 1, 0.5], "atLeast": 1, "atMost": 3,
//     "verdict": "NG"}], "otherwise": "OK", "unreadable": "NG", "late": "NG"}
// A rule with "atMost" alone holds for none, too ("fewer than four screws"). Throws
// invalid_argument naming the member.
[[nodiscard]] VerdictRules read_verdict_rules(const base::JsonReader& section);

// The first rule that holds decides. `picture` is the size that the boxes are in.
[[nodiscard]] Verdict decide(const VerdictRules& rules, std::span<const Finding> findings,
                             vision::Size picture);
[[nodiscard]] Verdict unreadable(const VerdictRules& rules);

}  // namespace andon::inspect
