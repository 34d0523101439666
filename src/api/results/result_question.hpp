// SPDX-License-Identifier: Apache-2.0
// What is asked about results, read from the members of ListResults, ExportResults and
// CountResults. Pure but for `members`; any thread. All throw invalid_argument naming the member.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/members.hpp"
#include "control/devices/things.hpp"
#include "control/results/types.hpp"

namespace andon::api {

// The things that are in a group now, with those of the groups below it, by name. Throws not_found.
using Members = std::function<std::vector<std::string>(const std::string& group)>;

// Throws failed_precondition for a group of more than kMostMembers.
inline constexpr std::size_t kMostMembers = 10'000;
[[nodiscard]] std::vector<std::string> members_of_group(const control::Things& things,
                                                        const std::string& group);

// A text of a result: a class, a verdict, a thing; at most 256 bytes, empty where it is absent.
[[nodiscard]] std::string short_result_text(const json::object& input, std::string_view key);

// thing, thingGroupName, class, verdict, minScore, maxScore, from, until.
[[nodiscard]] control::ResultFilter read_result_filter(const json::object& input,
                                                       const Members& members);
// The same with afterId, maxResults and nextToken.
[[nodiscard]] control::ResultRead read_result_question(const json::object& input,
                                                       const PageLimits& limits,
                                                       const Members& members);
// The key of a page's token.
[[nodiscard]] std::string result_place_text(const control::ResultPlace& place);

// groupBy: "thing,hour,class" and others of these; the default is those three.
struct ResultGrouping {
  control::CountGroups groups{.by_hour = false, .by_thing = false, .by_label = false};
  bool by_shift = false;
};
[[nodiscard]] ResultGrouping read_result_grouping(const json::object& input);

}  // namespace andon::api
