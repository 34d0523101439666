// SPDX-License-Identifier: Apache-2.0
// The Condition of a statement: operators of strings, numbers, dates, flags, bytes, addresses, ARNs
// and presence, with ...IfExists, ForAllValues: and ForAnyValue:. All of them must hold.
// Compiled once; immutable, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "policy/language/context.hpp"
#include "policy/language/pattern.hpp"

namespace andon::policy {

enum class Variables : std::uint8_t { are_text, replace };  // of Version 2008-10-17, of 2012-10-17

// One operator on one key of the request.
class Condition {
 public:
  // Throws invalid_argument naming the operator or value that is wrong. `values` is a text, number
  // or flag, or a list of them.
  Condition(std::string_view operator_name, std::string_view key, const base::json::value& values,
            Variables variables);

  [[nodiscard]] bool holds(const Context& context) const;

 private:
  enum class Kind : std::uint8_t { text, like, number, date, flag, bytes, address, arn, null };
  enum class Order : std::uint8_t { equal, less, less_or_equal, greater, greater_or_equal };
  enum class Set : std::uint8_t { one, all, any };
  struct Operator {
    std::string_view name;
    Kind kind;
    Order order;
    bool is_negated;
    bool ignores_case;
  };

  [[nodiscard]] static const Operator* find_operator(std::string_view name);
  void add_value(const std::string& text, Variables variables);
  [[nodiscard]] bool is_met_by(const std::string& given, const Context& context) const;
  [[nodiscard]] bool compare(const std::string& given, const std::string& wanted) const;

  std::string key_;  // in lower case
  const Operator* operator_ = nullptr;
  Set set_ = Set::one;
  bool is_optional_ = false;  // ...IfExists
  bool wants_absence_ = false;
  std::vector<Pattern> values_;
};

// The member "Condition" of a statement. Throws invalid_argument.
[[nodiscard]] std::vector<Condition> read_conditions(const base::json::value& block,
                                                     Variables variables);

}  // namespace andon::policy
