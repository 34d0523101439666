// SPDX-License-Identifier: Apache-2.0
// Room: plan. What is between a template and what a stack has: the order in which resources depend
// on each other, and what differs between two sets of properties. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"

namespace andon::stacks {

namespace json = base::json;

// Each after those that it depends on, else in the order given. Dependencies on what is not among
// them do not count. Throws invalid_argument naming a circle.
[[nodiscard]] std::vector<std::string> in_order(
    const std::vector<std::string>& ids,
    const std::map<std::string, std::vector<std::string>>& dependencies);

// One place in which two values differ; nothing on the side that does not have it.
struct Difference {
  std::string place;  // "Code.S3Key", "Policies.0.PolicyDocument"
  std::optional<json::value> before;
  std::optional<json::value> after;
};

inline constexpr std::size_t kMostDifferences = 200;

// Member by member; lists item by item. At most kMostDifferences.
[[nodiscard]] std::vector<Difference> differences(const json::object& before,
                                                  const json::object& after);
// The same values, whatever the order of their members.
[[nodiscard]] bool is_same(const json::value& left, const json::value& right);

}  // namespace andon::stacks
