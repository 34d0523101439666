// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/validator.hpp"

#include "asl/definition/definition_reader.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxDefinition = 1U << 20U;
constexpr std::size_t kMaxDepth = 200;

}  // namespace

json::value parse_definition_text(std::string_view definition) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (definition.starts_with(kByteOrderMark)) definition.remove_prefix(kByteOrderMark.size());
  return base::parse_json(definition, "the state machine definition",
                          {.max_bytes = kMaxDefinition, .max_depth = kMaxDepth});
}

Definition read_definition(std::string_view definition, const ValidationOptions& options) {
  return DefinitionReader(options).read(definition);
}

Validation validate_definition(std::string_view definition, const ValidationOptions& options) {
  return read_definition(definition, options).validation;
}

std::string errors_text(const Validation& validation) {
  std::string text;
  for (const Diagnostic& problem : validation.diagnostics) {
    if (problem.severity != Severity::error) continue;
    if (!text.empty()) text += ", ";
    text += problem.code + ": " + problem.message;
    if (!problem.location.empty()) text += " at " + problem.location;
  }
  return text;
}

json::value to_json(const Validation& validation) {
  json::array diagnostics;
  for (const Diagnostic& problem : validation.diagnostics) {
    json::object row{{"severity", problem.severity == Severity::error ? "ERROR" : "WARNING"},
                     {"code", problem.code},
                     {"message", problem.message}};
    if (!problem.location.empty()) row["location"] = problem.location;
    diagnostics.push_back(std::move(row));
  }
  return json::object{{"result", validation.ok ? "OK" : "FAIL"},
                      {"diagnostics", std::move(diagnostics)},
                      {"truncated", validation.truncated}};
}

}  // namespace andon::asl
