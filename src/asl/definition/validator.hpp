// SPDX-License-Identifier: Apache-2.0
// Reads the text of a state machine in one pass: every problem at once, with AWS's codes, sentences
// and places, as ValidateStateMachineDefinition answers, and the machine where there is no error.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "asl/definition/machine.hpp"
#include "base/json/json.hpp"

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

struct Definition {
  Validation validation;
  std::optional<StateMachine> machine;  // where the validation is ok
};

[[nodiscard]] Definition read_definition(std::string_view definition,
                                         const ValidationOptions& options = {});
// What read_definition says of it, where the machine is not wanted.
[[nodiscard]] Validation validate_definition(std::string_view definition,
                                             const ValidationOptions& options = {});
// {"result": "OK"|"FAIL", "diagnostics": [...], "truncated": bool}
[[nodiscard]] base::json::value to_json(const Validation& validation);

// The errors in one line: "CODE: message at /States/X, ...".
[[nodiscard]] std::string errors_text(const Validation& validation);

// The text as JSON under the limits of definitions (1 MiB). Throws base::Error(invalid_argument).
[[nodiscard]] base::json::value parse_definition_text(std::string_view definition);

}  // namespace andon::asl
