// SPDX-License-Identifier: Apache-2.0
// SearchExpression of SageMaker's Search: filters on the members of a resource as its Describe
// operation shows it, joined by And and Or, expressions in expressions. Values; pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::api {

namespace json = base::json;

enum class SearchOperator {
  equals,
  not_equals,
  greater,
  greater_or_equal,
  less,
  less_or_equal,
  contains,
  exists,
  not_exists,
  in,
};

struct SearchFilter {
  std::string name;  // "ModelApprovalStatus", "CustomerMetadataProperties.map50", "Tags.line"
  SearchOperator operation = SearchOperator::equals;
  std::string value;  // of in: values with commas between
};

struct SearchExpression {
  enum class Join { all, any };
  Join join = Join::all;
  std::vector<SearchFilter> filters;
  std::vector<SearchExpression> below;
};

// Throws invalid_argument naming the member; NestedFilters are refused. At most 20 filters and
// expressions a level, and 5 levels.
[[nodiscard]] SearchExpression read_search_expression(const json::object& input);

// What `name` says of the resource, a text for each place (Tags: the value of the tag that is
// named); empty where it has none. Times are seconds.
[[nodiscard]] std::vector<std::string> search_values(const json::object& resource,
                                                     std::string_view name);
// Numbers and times (also in ISO 8601) compare as such, other values as texts.
[[nodiscard]] bool matches(const SearchExpression& expression, const json::object& resource);

}  // namespace andon::api
