// SPDX-License-Identifier: Apache-2.0
// An expression of a rule's SQL as a tree, and what it is for a message. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/rulesql/rule_sql.hpp"

namespace andon::query {

using RuleValue = std::optional<base::json::value>;  // nothing: undefined

// Arguments are worked out already.
using RuleFunction = RuleValue (*)(const std::vector<RuleValue>& arguments,
                                   const RuleMessage& message);

struct RuleExpression {
  enum class Kind : std::uint8_t {
    literal,
    member,      // children[0].text; without children: of the message
    everything,  // *
    element,     // children[0][children[1]]
    array,       // [children]
    object,      // {names: children}
    call,        // function(children)
    cast,        // CAST(children[0] AS text)
    negate,
    negative,   // NOT
    both,       // AND
    either,     // OR
    compare,    // text is the operator
    calculate,  // text is the operator
    within,     // children[0] IN children[1] (an array)
    choose,     // CASE: when, then, when, then ..., else
    match,      // CASE children[0]: what it may equal, then, ..., else
  };
  Kind kind = Kind::literal;
  std::string text;
  base::json::value literal;
  std::vector<std::string> names;
  std::vector<RuleExpression> children;
  RuleFunction function = nullptr;
};

[[nodiscard]] RuleValue evaluate(const RuleExpression& expression, const RuleMessage& message);

// Null where there is no such function; case does not count. `least` and `most` arguments.
struct RuleFunctionRow {
  std::string_view name;
  std::size_t least;
  std::size_t most;
  RuleFunction function;
};
[[nodiscard]] const RuleFunctionRow* find_rule_function(std::string_view name);
// One that AWS has and that is not here.
[[nodiscard]] bool is_other_rule_function(std::string_view name);

// A value as a text, as AWS casts it; nothing for what has none.
[[nodiscard]] std::optional<std::string> rule_text(const RuleValue& value);
[[nodiscard]] std::optional<double> rule_number(const RuleValue& value);
// A whole number where it is one.
[[nodiscard]] base::json::value rule_number_value(double number);

}  // namespace andon::query
