// SPDX-License-Identifier: Apache-2.0
#include "api/results/result_question.hpp"

#include <boost/json/object.hpp>
#include <cmath>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxText = 256;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::optional<double> read_score(const json::object& input, std::string_view key) {
  const std::string text = text_or_empty(input, key);
  if (text.empty()) return std::nullopt;
  const auto score = base::parse_number(text);
  if (!score || !std::isfinite(*score)) refuse(std::string(key) + ": must be a number");
  return score;
}

std::optional<control::ResultPlace> read_place(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto parts = base::split(text, '|');
  const auto time = base::parse_int64(parts.front());
  const auto id = base::parse_int64(parts.back());
  if (parts.size() != 2 || !time || !id) {
    refuse("nextToken: is not one that this operation gave; start the list anew without it");
  }
  return control::ResultPlace{.time_ms = *time, .id = *id};
}

}  // namespace

std::vector<std::string> members_of_group(const control::Things& things, const std::string& group) {
  auto page = things.list_members(group, control::Things::Depth::descendants,
                                  {.limit = kMostMembers, .after = {}});
  if (page.next) {
    throw Error(ErrorCode::failed_precondition, "thingGroupName: \"" + group + "\" has more than " +
                                                    std::to_string(kMostMembers) +
                                                    " things; ask for a group below it");
  }
  return std::move(page.items);
}

std::string short_result_text(const json::object& input, std::string_view key) {
  return bounded_text(input, key, kMaxText);
}

control::ResultFilter read_result_filter(const json::object& input, const Members& members) {
  control::ResultFilter filter{.thing = short_result_text(input, "thing"),
                               .label = short_result_text(input, "class"),
                               .verdict = short_result_text(input, "verdict"),
                               .least_score = {}};
  if (const auto from = optional_time_ms(input, "from")) filter.from_ms = *from;
  if (const auto until = optional_time_ms(input, "until")) filter.until_ms = *until;
  filter.least_score = read_score(input, "minScore");
  filter.most_score = read_score(input, "maxScore");
  // An empty one is none, and must not ask for all on the strength of a right to groups.
  if (input.contains("thingGroupName")) {
    (void)required_text(input, "thingGroupName");
    filter.among = members(short_result_text(input, "thingGroupName"));
  }
  return filter;
}

control::ResultRead read_result_question(const json::object& input, const PageLimits& limits,
                                         const Members& members) {
  const control::PageRequest page = read_page(input, limits);
  control::ResultRead wanted{.filter = read_result_filter(input, members), .limit = page.limit};
  wanted.place = read_place(page.after);
  if (const auto after = optional_number(input, "afterId")) {
    // A place of the other order is of no use here.
    if (!wanted.place) wanted.place = control::ResultPlace{.time_ms = 0, .id = *after};
    wanted.order = control::ResultOrder::as_they_came;
  }
  return wanted;
}

std::string result_place_text(const control::ResultPlace& place) {
  return std::to_string(place.time_ms) + "|" + std::to_string(place.id);
}

ResultGrouping read_result_grouping(const json::object& input) {
  const std::string text = short_result_text(input, "groupBy");
  ResultGrouping grouping;
  for (const std::string_view word :
       base::split(text.empty() ? "thing,hour,class" : std::string_view(text), ',')) {
    if (word == "thing") {
      grouping.groups.by_thing = true;
    } else if (word == "hour") {
      grouping.groups.by_hour = true;
    } else if (word == "class") {
      grouping.groups.by_label = true;
    } else if (word == "found") {
      grouping.groups.by_found = true;
    } else if (word == "verdict") {
      grouping.groups.by_verdict = true;
    } else if (word == "shift") {
      grouping.by_shift = true;
    } else if (word != "none" || text != "none") {
      refuse(
          "groupBy: may name thing, hour or shift, class or found, verdict, with commas between "
          "them, or none alone");
    }
  }
  if (grouping.by_shift && grouping.groups.by_hour) refuse("groupBy: by hour or by shift");
  return grouping;
}

}  // namespace andon::api
