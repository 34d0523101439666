// SPDX-License-Identifier: Apache-2.0
// IoT policies as decisions are made of them. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/iotpolicy/iot_policies.hpp"
#include "policy/decision/decision.hpp"

namespace andon::control {

// What the policies of these names say together; null for none. not_found.
[[nodiscard]] std::shared_ptr<const policy::PolicySet> compile_policies(
    const IotPolicies& policies, const std::vector<std::string>& names);

}  // namespace andon::control
