// SPDX-License-Identifier: Apache-2.0
// The operations of AWS IoT (service "iot", model 2015-05-28) that a fleet needs: things, thing
// groups, certificates, IoT policies, endpoints; and andon's own
// enrolment tokens and consumers of the broker (service "andon"). Rows for the
// operation table; `control` must outlive them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/device/device_plane.hpp"
#include "api/table/operation.hpp"
#include "control/control_plane.hpp"
#include "control/iam/role_aliases.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> iot_operations(control::ControlPlane& control,
                                                    const DeviceEndpoints& endpoints);

// POST /andon/v1/enrolment-tokens. `ca_certificate_pem` is what devices will check; without
// `aliases` things are given none.
[[nodiscard]] std::vector<Operation> enrolment_operations(control::ControlPlane& control,
                                                          const DeviceEndpoints& endpoints,
                                                          const std::string& ca_certificate_pem,
                                                          control::RoleAliases* aliases = nullptr);

// Has the broker listen for users with passwords, if it does not yet, and answers the port.
using UserListener = std::function<std::uint16_t()>;
// Consumers of the broker: /andon/v1/consumers.
[[nodiscard]] std::vector<Operation> consumer_operations(control::ControlPlane& control,
                                                         UserListener users);

}  // namespace andon::api
