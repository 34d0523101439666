// SPDX-License-Identifier: Apache-2.0
// JSON in and out: Boost.JSON values, parsed with limits, printed so that people can read them.
// Pure; any thread. Parse errors are base::Error(invalid_argument) with line and column.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace andon::base {

namespace json = boost::json;

struct JsonLimits {
  std::size_t max_bytes = 16U << 20U;
  std::size_t max_depth = 32;
};

// `what` names the document in the error message ("deployment document").
[[nodiscard]] json::value parse_json(std::string_view text, std::string_view what,
                                     const JsonLimits& limits = {});

// Compact, keys in insertion order; doubles in their shortest decimal form (0.87, 1e+30; 2.0 for a
// whole double so that it stays a double). NaN and infinities, which JSON lacks, become null.
[[nodiscard]] std::string to_text(const json::value& value);
// The same with two-space indentation and a newline at the end.
[[nodiscard]] std::string to_pretty_text(const json::value& value);

// RFC 6901. Null where the pointer leads nowhere; throws invalid_argument for a malformed pointer.
// "" is the whole document.
[[nodiscard]] const json::value* find_pointer(const json::value& document,
                                              std::string_view pointer);
// "/a~1b/0" -> {"a/b", "0"}.
[[nodiscard]] std::vector<std::string> split_pointer(std::string_view pointer);
[[nodiscard]] std::string join_pointer(const std::vector<std::string>& tokens);

}  // namespace andon::base
