// SPDX-License-Identifier: Apache-2.0
// A filter pattern of CloudWatch Logs, and which messages it matches. Pure; any thread.
//   ERROR "no such"      every term is in the message, whatever surrounds it; case counts
//   ERROR -timeout       and this one is not
//   ?ERROR ?WARN         one of them is (beside other terms a `?` term says nothing, as at AWS)
//   { $.type = "ExecutionFailed" && $.details.n >= 3 }   of a message that is a JSON object;
//                        = != < <= > >=, `*` in texts, IS NULL, IS TRUE, IS FALSE, NOT EXISTS
// Regular expressions (%...%) and columns ([a, b]) are refused by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace andon::control {

class LogPattern {
 public:
  static constexpr std::size_t kMostBytes = 1024;

  // Throws invalid_argument: what is wrong, and where. An empty one matches everything.
  explicit LogPattern(std::string_view text);
  LogPattern(LogPattern&&) noexcept;
  LogPattern& operator=(LogPattern&&) noexcept;
  ~LogPattern();

  [[nodiscard]] bool matches(std::string_view message) const;

 private:
  struct Terms;
  struct Condition;
  class Reader;
  std::unique_ptr<Terms> terms_;          // null: a condition
  std::unique_ptr<Condition> condition_;  // null: terms
};

}  // namespace andon::control
