// SPDX-License-Identifier: Apache-2.0
// The function library of JSONata, by subject. Internal to asl. Each function gets arguments that
// its signature has validated, missing ones as undefined.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "query/jsonata/evaluate/evaluator.hpp"

namespace andon::query::jsonata {

struct NativeEntry {
  std::string_view name;
  std::string_view signature;
  std::size_t arity;
  Value (*call)(Evaluator&, const Items&, const Value&);
};

[[nodiscard]] const std::vector<NativeEntry>& text_functions();
[[nodiscard]] const std::vector<NativeEntry>& pattern_functions();
[[nodiscard]] const std::vector<NativeEntry>& number_functions();
[[nodiscard]] const std::vector<NativeEntry>& list_functions();
[[nodiscard]] const std::vector<NativeEntry>& object_functions();
[[nodiscard]] const std::vector<NativeEntry>& time_functions();
[[nodiscard]] const std::vector<NativeEntry>& states_functions();

// XPath picture strings of $formatNumber. `options` is an object or undefined.
[[nodiscard]] std::string format_number(double number, const std::string& picture,
                                        const Value& options);
// Picture strings of $formatInteger and $parseInteger ("w", "Ww", "I", "A", "#,##0;o").
[[nodiscard]] std::string format_integer(double number, const std::string& picture);
[[nodiscard]] std::optional<double> parse_integer(const std::string& text,
                                                  const std::string& picture);
// XPath date/time pictures ("[Y0001]-[M01]-[D01]").
[[nodiscard]] std::string format_time(std::int64_t millis, const std::string* picture,
                                      const std::string* zone);
[[nodiscard]] std::optional<double> parse_time(const std::string& text, const std::string* picture,
                                               std::int64_t now);

[[nodiscard]] double round_half_even(double number, int digits);
// JavaScript's reading of a decimal text that is known to be one.
[[nodiscard]] double read_number(std::string_view text);

}  // namespace andon::query::jsonata
