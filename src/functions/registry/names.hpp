// SPDX-License-Identifier: Apache-2.0
// How functions are called: by name, by partial and by full ARN, each with a qualifier behind it or
// not. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fleet/names/arn.hpp"

namespace andon::functions {

struct FunctionRef {
  std::string name;
  std::string qualifier;  // "$LATEST", a number, an alias; empty: none
};

// "f", "f:live", "000000000000:function:f", "arn:aws:lambda:R:A:function:f:1". Throws
// invalid_argument.
[[nodiscard]] FunctionRef parse_function_ref(std::string_view text);
// The same, with the qualifier that came beside it, which must not differ.
[[nodiscard]] FunctionRef parse_function_ref(std::string_view text, std::string_view qualifier);

[[nodiscard]] std::string function_arn(const fleet::Arns& arns, std::string_view name,
                                       std::string_view qualifier = {});

// The number of a published version.
[[nodiscard]] std::optional<std::int64_t> parse_version_number(std::string_view text);
// Throws invalid_argument: a number is none.
void check_alias_name(std::string_view name);
// 1 to 64 letters, digits, - and _; throws invalid_argument.
void check_function_name(std::string_view name);

}  // namespace andon::functions
