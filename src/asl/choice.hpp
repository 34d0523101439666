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

#include "asl/payload.hpp"

namespace andon::asl {

// One test of JSONPath mode: And, Or, Not, or an operator on a variable.
class ChoiceTest {
 public:
  // Throws base::Error for a malformed test.
  [[nodiscard]] static ChoiceTest compile(const json::object& rule);
  // Throws Failure(States.Runtime) where the variable, or the path it is compared with, leads
  // nowhere. A value of another type than the operator's makes it false.
  [[nodiscard]] bool holds(const Scope& scope) const;

 private:
  enum class Kind { all, any, negation, operation };
  Kind kind_ = Kind::operation;
  std::vector<ChoiceTest> tests_;
  JsonPath variable_;
  std::string operator_;  // without "Path"
  json::value operand_;
  std::optional<JsonPath> operand_path_;
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
