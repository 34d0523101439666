// SPDX-License-Identifier: Apache-2.0
#include "api/events/rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/constraints/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace event_rows {

Operation row(const EventParts& parts, std::string_view name, std::vector<MemberRule> rules,
              Work work) {
  return json_row({"events"}, name, parts, work, std::move(rules));
}

MemberRule bus_rule() {
  return text("EventBusName", 1, 1600);
}

std::string read_bus(const json::object& input, std::string_view member) {
  return events::bus_name(maybe_text(input, member).value_or(""));
}

json::object object_of(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  return value == nullptr || value->is_null() ? json::object() : value->as_object();
}

std::vector<MemberRule> with_page(std::vector<MemberRule> rules) {
  rules.push_back(number("Limit", 1, 100));
  rules.push_back(text("NextToken", 1, 2048));
  return rules;
}

PageOf read_page(const json::object& input) {
  PageOf page{.limit = static_cast<std::size_t>(optional_number(input, "Limit").value_or(100)),
              .after = {}};
  if (const auto token = maybe_text(input, "NextToken")) {
    const auto after = from_page_token(*token);
    if (!after) {
      throw base::Error(base::ErrorCode::invalid_argument, "NextToken is not one that a list gave");
    }
    page.after = *after;
  }
  return page;
}

}  // namespace event_rows

std::vector<Operation> events_operations(const EventParts& parts) {
  std::vector<Operation> all;
  for (auto* rows : {event_rows::connection_rows, event_rows::bus_rows, event_rows::rule_rows,
                     event_rows::target_rows, event_rows::put_rows, event_rows::destination_rows}) {
    std::ranges::move(rows(parts), std::back_inserter(all));
  }
  return all;
}

}  // namespace andon::api
