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

// What a device that enrols is told.
struct EnrolmentOptions {
  DeviceEndpoints endpoints;
  std::string ca_certificate_pem;  // by which it knows the server
  base::fs::path packages;         // the repository that it installs from; none where empty
};

// POST /andon/v1/enrolment-tokens: a token, and where packages are offered `line` (fleet's
// EnrolLine) or the reason why there is none; without `aliases` things are given none.
[[nodiscard]] std::vector<Operation> enrolment_operations(control::ControlPlane& control,
                                                          const EnrolmentOptions& options,
                                                          control::RoleAliases* aliases = nullptr);

// Has the broker listen for users with passwords, if it does not yet, and answers the port.
using UserListener = std::function<std::uint16_t()>;
// Consumers of the broker: /andon/v1/consumers.
[[nodiscard]] std::vector<Operation> consumer_operations(control::ControlPlane& control,
                                                         UserListener users);

}  // namespace andon::api
