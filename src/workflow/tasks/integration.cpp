// SPDX-License-Identifier: Apache-2.0
#include "workflow/tasks/integration.hpp"

#include "trust/digests/digest.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {

Integration* Integrations::find(const asl::Resource& resource) const {
  for (const auto& integration : all_) {
    if (integration->has(resource)) return integration.get();
  }
  return nullptr;
}

void Integrations::check(const asl::StateMachine& machine) const {
  std::string problems;
  for (std::size_t number = 0; number < machine.flow_count(); ++number) {
    for (const asl::State& state : machine.flow(number).states) {
      if (state.type() != asl::StateType::task) continue;
      if (state.task().resource.kind == asl::Resource::Kind::activity) continue;
      if (find(state.task().resource) != nullptr) continue;
      if (!problems.empty()) problems += ", ";
      problems += "SCHEMA_VALIDATION_FAILED: The resource provided " + state.task().resource.text +
                  " is not recognized. The value is not a valid resource ARN, or the resource is "
                  "not available in this region. at /States/" +
                  state.name + "/Resource";
    }
  }
  if (problems.empty()) return;
  throw Refusal("InvalidDefinition", "Invalid State Machine Definition: '" + problems + "'");
}

std::string derived_uuid(std::string_view text) {
  std::string hex = trust::sha256_hex(text).substr(0, 32);
  hex[12] = '5';  // a version that says: derived from a name
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
  return hex;
}

std::string task_role_of(const asl::Data& credentials) {
  if (credentials == nullptr) return {};
  const auto* role = base::find_pointer(*credentials, "/RoleArn");
  return role != nullptr && role->is_string() ? std::string(role->get_string())
                                              : base::to_text(*credentials);
}

}  // namespace andon::workflow
