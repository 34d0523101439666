// SPDX-License-Identifier: Apache-2.0
// How parameters and secrets are named, and what may be in them, as AWS has it. Pure; any thread.
// What throws, throws NamedRefusal or invalid_argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/shared/arn.hpp"

namespace andon::control {

// What a caller writes for a parameter: "name", "name:3", "name:label", or its ARN in the place of
// the name.
struct ParameterReference {
  std::string key;                  // the name without a slash in front
  std::optional<std::string> name;  // as it was written; nothing: by its ARN
  std::string selector;             // ":3", ":label", or empty
  std::optional<std::int64_t> version;
  std::string label;
};
[[nodiscard]] ParameterReference parse_parameter_reference(std::string_view text);
// A name without a slash in front, by which /a and a are the same.
[[nodiscard]] std::string_view parameter_key(std::string_view name);
[[nodiscard]] std::string parameter_arn(const Arns& arns, std::string_view key);

// Characters, levels, reserved words, length.
void check_parameter_name(const Arns& arns, std::string_view name);
// Of a hierarchy: "/", "/a", "/a/".
void check_parameter_path(std::string_view path);
[[nodiscard]] bool is_parameter_label(std::string_view label);
// The whole value must match; a pattern in the syntax of JavaScript.
void check_allowed_pattern(std::string_view pattern, std::string_view value);

// What a caller writes for a secret: its name, its ARN, or its ARN without the six letters.
struct SecretReference {
  std::string name;        // or all that stands behind "secret:" in an ARN
  std::string short_name;  // of an ARN: without what may be the letters; else empty
  std::string suffix;      // the letters
};
[[nodiscard]] SecretReference parse_secret_reference(std::string_view text);
[[nodiscard]] std::string secret_arn(const Arns& arns, std::string_view name,
                                     std::string_view suffix);
void check_secret_name(std::string_view name);

}  // namespace andon::control
