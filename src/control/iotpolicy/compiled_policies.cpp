// SPDX-License-Identifier: Apache-2.0
#include "control/iotpolicy/compiled_policies.hpp"

#include <utility>

#include "policy/language/document.hpp"

namespace andon::control {

std::shared_ptr<const policy::PolicySet> compile_policies(const IotPolicies& policies,
                                                          const std::vector<std::string>& names) {
  if (names.empty()) return nullptr;
  std::vector<std::shared_ptr<const policy::NamedPolicy>> compiled;
  for (const std::string& name : names) {
    compiled.push_back(std::make_shared<const policy::NamedPolicy>(policy::NamedPolicy{
        .name = name,
        .source = {},
        .document = std::make_shared<const policy::Document>(policy::Document::parse(
            policies.require(name).document, policy::DocumentKind::identity))}));
  }
  return std::make_shared<const policy::PolicySet>(std::move(compiled));
}

}  // namespace andon::control
