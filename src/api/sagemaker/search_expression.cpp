// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/search_expression.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/split.hpp"
#include "base/time/time.hpp"

namespace andon::api {
namespace {

using base::JsonReader;

constexpr std::size_t kMostOfALevel = 20;
constexpr int kDeepest = 5;
constexpr std::size_t kMostValue = 1024;

constexpr std::array<std::pair<std::string_view, SearchOperator>, 10> kOperators{
    {{"Equals", SearchOperator::equals},
     {"NotEquals", SearchOperator::not_equals},
     {"GreaterThan", SearchOperator::greater},
     {"GreaterThanOrEqualTo", SearchOperator::greater_or_equal},
     {"LessThan", SearchOperator::less},
     {"LessThanOrEqualTo", SearchOperator::less_or_equal},
     {"Contains", SearchOperator::contains},
     {"Exists", SearchOperator::exists},
     {"NotExists", SearchOperator::not_exists},
     {"In", SearchOperator::in}}};
constexpr std::array<std::pair<std::string_view, SearchExpression::Join>, 2> kJoins{
    {{"And", SearchExpression::Join::all}, {"Or", SearchExpression::Join::any}}};

SearchFilter read_filter(const JsonReader& reader) {
  SearchFilter filter;
  filter.name = reader.required_text("Name");
  const auto value = reader.optional_string("Value");
  // As AWS has it: without an operator, a value is to be equal, and no value is to be there.
  filter.operation = reader.choice("Operator", kOperators)
                         .value_or(value ? SearchOperator::equals : SearchOperator::exists);
  const bool needs_none =
      filter.operation == SearchOperator::exists || filter.operation == SearchOperator::not_exists;
  if (!needs_none && !value) reader.fail("Value", "is missing");
  filter.value = value.value_or("");
  if (filter.value.size() > kMostValue) reader.fail("Value", "has more than 1024 characters");
  return filter;
}

SearchExpression read_level(const JsonReader& reader, int depth) {
  if (depth > kDeepest) reader.fail("SubExpressions", "are more than 5 levels deep");
  if (reader.has("NestedFilters")) {
    reader.fail("NestedFilters", "are not supported; name the member in Filters: a.b");
  }
  SearchExpression expression;
  expression.join = reader.choice("Operator", kJoins).value_or(SearchExpression::Join::all);
  const std::vector<JsonReader> filters = reader.children("Filters");
  const std::vector<JsonReader> below = reader.children("SubExpressions");
  if (filters.size() > kMostOfALevel) reader.fail("Filters", "are more than 20");
  if (below.size() > kMostOfALevel) reader.fail("SubExpressions", "are more than 20");
  for (const JsonReader& filter : filters) expression.filters.push_back(read_filter(filter));
  for (const JsonReader& one : below) expression.below.push_back(read_level(one, depth + 1));
  return expression;
}

std::optional<double> to_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> to_number_or_time(const std::string& text) {
  if (const auto number = to_number(text)) return number;
  const auto time = base::parse_iso8601(text);
  if (!time) return std::nullopt;
  return base::to_epoch_seconds(*time);
}

int compare(const std::string& has, const std::string& wanted) {
  const auto left = to_number(has);
  const auto right = to_number_or_time(wanted);
  if (left && right) return *left < *right ? -1 : *left > *right ? 1 : 0;
  return has < wanted ? -1 : has > wanted ? 1 : 0;
}

void add_values(const json::value& value, std::vector<std::string>& texts) {
  if (const auto* list = value.if_array()) {
    for (const json::value& one : *list) add_values(one, texts);
  } else if (value.is_string()) {
    texts.emplace_back(value.get_string());
  } else if (!value.is_null() && !value.is_object()) {
    texts.push_back(base::to_text(value));
  } else if (value.is_object()) {
    texts.emplace_back();  // it is there
  }
}

void find_values(const json::value& value, std::string_view name, std::vector<std::string>& texts) {
  if (name.empty()) return add_values(value, texts);
  if (const auto* list = value.if_array()) {
    for (const json::value& one : *list) find_values(one, name, texts);
    return;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return;
  // A key may have dots of its own: the whole rest is looked for first.
  if (const json::value* member = object->if_contains(name)) return add_values(*member, texts);
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return;
  if (const json::value* member = object->if_contains(name.substr(0, dot))) {
    find_values(*member, name.substr(dot + 1), texts);
  }
}

bool has_value(const SearchFilter& filter, const std::string& has) {
  switch (filter.operation) {
    case SearchOperator::equals:
    case SearchOperator::not_equals:
      return compare(has, filter.value) == 0;
    case SearchOperator::greater:
      return compare(has, filter.value) > 0;
    case SearchOperator::greater_or_equal:
      return compare(has, filter.value) >= 0;
    case SearchOperator::less:
      return compare(has, filter.value) < 0;
    case SearchOperator::less_or_equal:
      return compare(has, filter.value) <= 0;
    case SearchOperator::contains:
      return has.find(filter.value) != std::string::npos;
    case SearchOperator::in: {
      const auto values = base::split(filter.value, ',');
      return std::ranges::any_of(
          values, [&](std::string_view one) { return compare(has, std::string(one)) == 0; });
    }
    case SearchOperator::exists:
    case SearchOperator::not_exists:
      break;
  }
  return true;
}

bool matches(const SearchFilter& filter, const json::object& resource) {
  const std::vector<std::string> values = search_values(resource, filter.name);
  if (filter.operation == SearchOperator::exists) return !values.empty();
  if (filter.operation == SearchOperator::not_exists) return values.empty();
  const bool found = std::ranges::any_of(
      values, [&](const std::string& value) { return has_value(filter, value); });
  return filter.operation == SearchOperator::not_equals ? !found : found;
}

}  // namespace

SearchExpression read_search_expression(const json::object& input) {
  return read_level(JsonReader(input, "").child_or_empty("SearchExpression"), 1);
}

std::vector<std::string> search_values(const json::object& resource, std::string_view name) {
  constexpr std::string_view kTags = "Tags.";
  std::vector<std::string> texts;
  if (!name.starts_with(kTags)) {
    find_values(resource, name, texts);
    return texts;
  }
  const json::value* tags = resource.if_contains("Tags");
  if (tags == nullptr || !tags->is_array()) return texts;
  for (const JsonReader& tag : JsonReader(resource, "").children("Tags")) {
    if (tag.optional_string("Key") != std::string(name.substr(kTags.size()))) continue;
    texts.push_back(tag.optional_string("Value").value_or(""));
  }
  return texts;
}

bool matches(const SearchExpression& expression, const json::object& resource) {
  const auto holds = [&](const SearchFilter& filter) { return matches(filter, resource); };
  const auto holds_below = [&](const SearchExpression& one) { return matches(one, resource); };
  if (expression.join == SearchExpression::Join::all) {
    return std::ranges::all_of(expression.filters, holds) &&
           std::ranges::all_of(expression.below, holds_below);
  }
  if (expression.filters.empty() && expression.below.empty()) return true;
  return std::ranges::any_of(expression.filters, holds) ||
         std::ranges::any_of(expression.below, holds_below);
}

}  // namespace andon::api
