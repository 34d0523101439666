// SPDX-License-Identifier: Apache-2.0
// Checks the text of a state machine as ValidateStateMachineDefinition does: every problem at
// once, with AWS's codes, sentences and places. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace andon::asl {

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;  // SCHEMA_VALIDATION_FAILED, MISSING_TRANSITION_TARGET, ...
  std::string message;
  std::string location;  // /States/X/Resource; may be empty
};

struct Validation {
  bool ok = true;  // no errors; warnings may be there
  std::vector<Diagnostic> diagnostics;
  bool truncated = false;
};

struct ValidationOptions {
  bool express = false;
  std::size_t max_results = 100;
  Severity least = Severity::error;  // warnings are left out, as AWS does unless asked
};

[[nodiscard]] Validation validate_definition(std::string_view definition,
                                             const ValidationOptions& options = {});
// {"result": "OK"|"FAIL", "diagnostics": [...], "truncated": bool}
[[nodiscard]] base::json::value to_json(const Validation& validation);

// The text as JSON under the limits of definitions (1 MiB). Throws base::Error(invalid_argument).
[[nodiscard]] base::json::value parse_definition_text(std::string_view definition);

}  // namespace andon::asl
