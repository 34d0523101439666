// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: rows with checked members, pages.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/events/events.hpp"
#include "api/table/members.hpp"

namespace andon::api::event_rows {

using rules::flag_rule;
using rules::list_rule;
using rules::needed;
using rules::number;
using rules::object_rule;
using rules::text;
using rules::word;

using Work = json::value (*)(const EventParts&, const OperationContext&);
[[nodiscard]] Operation row(const EventParts& parts, std::string_view name,
                            std::vector<MemberRule> rules, Work work);

[[nodiscard]] MemberRule bus_rule();  // EventBusName
// The bus that EventBusName names.
[[nodiscard]] std::string read_bus(const json::object& input,
                                   std::string_view member = "EventBusName");
[[nodiscard]] json::object object_of(const json::object& input, std::string_view key);

// Limit and NextToken.
[[nodiscard]] std::vector<MemberRule> with_page(std::vector<MemberRule> rules);
struct PageOf {
  std::size_t limit = 100;
  std::string after;
};
[[nodiscard]] PageOf read_page(const json::object& input);
// Cuts what was read beyond the page off, and puts NextToken there where there is more; `key` gives
// an item's place in the list.
template <typename Item, typename Key>
void end_page(json::object& output, const PageOf& page, std::vector<Item>& items, const Key& key) {
  if (items.size() <= page.limit) return;
  items.resize(page.limit);
  output["NextToken"] = to_page_token(key(items.back()));
}

// The rows of each file.
[[nodiscard]] std::vector<Operation> connection_rows(const EventParts& parts);
[[nodiscard]] std::vector<Operation> bus_rows(const EventParts& parts);
[[nodiscard]] std::vector<Operation> rule_rows(const EventParts& parts);
[[nodiscard]] std::vector<Operation> target_rows(const EventParts& parts);
[[nodiscard]] std::vector<Operation> put_rows(const EventParts& parts);
[[nodiscard]] std::vector<Operation> destination_rows(const EventParts& parts);

}  // namespace andon::api::event_rows
