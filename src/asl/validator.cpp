// SPDX-License-Identifier: Apache-2.0
#include "asl/validator.hpp"

#include "asl/definition_checker.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxDefinition = 1U << 20U;
constexpr std::size_t kMaxDepth = 200;

}  // namespace

json::value parse_definition_text(std::string_view definition) {
  return base::parse_json(definition, "the state machine definition",
                          {.max_bytes = kMaxDefinition, .max_depth = kMaxDepth});
}

Validation validate_definition(std::string_view definition, const ValidationOptions& options) {
  return DefinitionChecker(options).run(definition);
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
