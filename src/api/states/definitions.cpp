// SPDX-License-Identifier: Apache-2.0
// ValidateStateMachineDefinition.
#include "api/states/rows.hpp"
#include "asl/definition/validator.hpp"

namespace andon::api::states {
namespace {

json::value validate(const Service& /*service*/, const json::object& input) {
  asl::ValidationOptions options;
  options.express = maybe_text(input, "type") == "EXPRESS";
  options.least =
      maybe_text(input, "severity") == "WARNING" ? asl::Severity::warning : asl::Severity::error;
  const auto most = optional_number(input, "maxResults").value_or(0);
  if (most > 0) options.max_results = static_cast<std::size_t>(most);
  return asl::to_json(
      asl::validate_definition(maybe_text(input, "definition").value_or(""), options));
}

}  // namespace

std::vector<Operation> definition_rows(const Service& service) {
  return {row(service, "ValidateStateMachineDefinition",
              {needed(secret("definition", 1'048'576)), word("type", {"STANDARD", "EXPRESS"}),
               word("severity", {"ERROR", "WARNING"}), number("maxResults", 0, 100)},
              validate)};
}

}  // namespace andon::api::states
