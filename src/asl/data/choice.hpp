// SPDX-License-Identifier: Apache-2.0
// The rules of a Choice state: comparisons of JSONPath mode and their nesting, or a JSONata
// condition. Compiled once, immutable, any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "asl/data/payload.hpp"

namespace andon::asl {

// One test of JSONPath mode: And, Or, Not, or an operator on a variable.
struct ChoiceTest {
  enum class Kind { all, any, negation, operation };
  Kind kind = Kind::operation;
  std::vector<ChoiceTest> tests;
  query::JsonPath variable;
  std::string operation;  // "StringEquals", also where it compares with a path
  json::value operand;
  std::optional<query::JsonPath> operand_path;

  // Throws Failure(States.Runtime) where the variable, or the path it is compared with, leads
  // nowhere. A value of another type than the operator's makes it false.
  [[nodiscard]] bool holds(const Scope& scope) const;
};

struct ChoiceRule {
  std::optional<ChoiceTest> test;
  std::shared_ptr<const QueryExpression> condition;
  std::string next;
  std::vector<std::pair<std::string, Payload>> assign;
  std::optional<Payload> output;

  [[nodiscard]] bool holds(const Scope& scope) const;
};

// "StringEquals" and the other operators, without their "...Path" twins.
[[nodiscard]] bool is_choice_operator(std::string_view name);
[[nodiscard]] bool has_path_twin(std::string_view name);
// '*' stands for any text; "\*" and "\\" for themselves.
[[nodiscard]] bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace andon::asl
