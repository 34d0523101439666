// SPDX-License-Identifier: Apache-2.0
#include "asl/data/choice.hpp"

#include <algorithm>
#include <array>

#include "asl/data/failure.hpp"
#include "asl/data/path_lookup.hpp"
#include "asl/data/time_text.hpp"
#include "query/document/utf8.hpp"

namespace andon::asl {
namespace {

constexpr std::array<std::string_view, 3> kOrderedTypes = {"String", "Numeric", "Timestamp"};
constexpr std::array<std::string_view, 5> kRelations = {"Equals", "LessThan", "GreaterThan",
                                                        "LessThanEquals", "GreaterThanEquals"};
constexpr std::array<std::string_view, 6> kTypeTests = {"IsNull",   "IsPresent", "IsNumeric",
                                                        "IsString", "IsBoolean", "IsTimestamp"};

std::optional<std::pair<std::string_view, std::string_view>> split_operator(std::string_view name) {
  for (const std::string_view type : kOrderedTypes) {
    if (!name.starts_with(type)) continue;
    for (const std::string_view relation : kRelations) {
      if (name.substr(type.size()) == relation) return std::pair{type, relation};
    }
  }
  return std::nullopt;
}

std::optional<PreciseTime> timestamp_of(const json::value& value) {
  const auto* text = value.if_string();
  return text != nullptr ? parse_precise_time(*text) : std::nullopt;
}

bool relates(int order, std::string_view relation) {
  if (relation == "Equals") return order == 0;
  if (relation == "LessThan") return order < 0;
  if (relation == "GreaterThan") return order > 0;
  return relation == "LessThanEquals" ? order <= 0 : order >= 0;
}

template <typename T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

bool compare(std::string_view name, const json::value& value, const json::value& operand) {
  if (name == "BooleanEquals") {
    return value.is_bool() && operand.is_bool() && value.get_bool() == operand.get_bool();
  }
  if (name == "StringMatches") {
    return value.is_string() && operand.is_string() &&
           matches_pattern(value.get_string(), operand.get_string());
  }
  const auto parts = split_operator(name);
  if (!parts) return false;
  const auto& [type, relation] = *parts;
  if (type == "String") {
    return value.is_string() && operand.is_string() &&
           relates(query::compare_utf16(value.get_string(), operand.get_string()), relation);
  }
  if (type == "Numeric") {
    if (!value.is_number() || !operand.is_number()) return false;
    const auto* left = value.if_int64();
    const auto* right = operand.if_int64();
    if (left != nullptr && right != nullptr) return relates(order_of(*left, *right), relation);
    return relates(order_of(value.to_number<double>(), operand.to_number<double>()), relation);
  }
  const auto left = timestamp_of(value);
  const auto right = timestamp_of(operand);
  return left && right && relates(order_of(*left, *right), relation);
}

bool has_type(std::string_view name, const json::value& value) {
  if (name == "IsNull") return value.is_null();
  if (name == "IsNumeric") return value.is_number();
  if (name == "IsString") return value.is_string();
  if (name == "IsBoolean") return value.is_bool();
  return timestamp_of(value).has_value();
}

bool is_type_test(std::string_view name) {
  return std::ranges::find(kTypeTests, name) != kTypeTests.end();
}

}  // namespace

bool is_choice_operator(std::string_view name) {
  return has_path_twin(name) || name == "StringMatches" || is_type_test(name);
}

bool has_path_twin(std::string_view name) {
  return split_operator(name).has_value() || name == "BooleanEquals";
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  // Greedy with one place to come back to: the last '*'.
  std::size_t at = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_at = 0;
  const auto literal = [&pattern](std::size_t i) {
    const bool escaped = pattern[i] == '\\' && i + 1 < pattern.size() &&
                         (pattern[i + 1] == '*' || pattern[i + 1] == '\\');
    return std::pair{pattern[escaped ? i + 1 : i], escaped ? std::size_t{2} : std::size_t{1}};
  };
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_at = at;
      continue;
    }
    if (p < pattern.size()) {
      const auto [character, length] = literal(p);
      if (character == text[at]) {
        p += length;
        ++at;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    at = ++star_at;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool ChoiceTest::holds(const Scope& scope) const {
  const auto each_holds = [&scope](const ChoiceTest& test) { return test.holds(scope); };
  switch (kind) {
    case Kind::all:
      return std::ranges::all_of(tests, each_holds);
    case Kind::any:
      return std::ranges::any_of(tests, each_holds);
    case Kind::negation:
      return !tests.front().holds(scope);
    case Kind::operation:
      break;
  }
  const auto missing = [](const query::JsonPath& path) {
    return failure(kRuntime,
                   "Invalid path '" + path.text() +
                       "': The choice state's condition path references an invalid value.");
  };
  const auto value = look_up(variable, scope);
  if (operation == "IsPresent") return value.has_value() == operand.as_bool();
  if (!value) throw missing(variable);
  if (is_type_test(operation)) return has_type(operation, **value) == operand.as_bool();
  if (!operand_path) return compare(operation, **value, operand);
  const auto other = look_up(*operand_path, scope);
  if (!other) throw missing(*operand_path);
  return compare(operation, **value, **other);
}

bool ChoiceRule::holds(const Scope& scope) const {
  if (test) return test->holds(scope);
  const json::value value = condition->evaluate(scope);
  if (!value.is_bool()) throw condition->wrong_type("boolean", value);
  return value.get_bool();
}

}  // namespace andon::asl
