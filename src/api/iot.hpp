// SPDX-License-Identifier: Apache-2.0
// The operations of AWS IoT (service "iot", model 2015-05-28) that a fleet needs: things, thing
// groups, certificates, endpoints; and andon's own enrolment tokens (service "andon"). Rows for the
// operation table; `control` must outlive them.
#pragma once

#include <string>
#include <vector>

#include "api/device_plane.hpp"
#include "api/operation.hpp"
#include "control/control_plane.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> iot_operations(control::ControlPlane& control,
                                                    const DeviceEndpoints& endpoints);

// POST /andon/v1/enrolment-tokens. `ca_certificate_pem` is what devices will check.
[[nodiscard]] std::vector<Operation> enrolment_operations(control::ControlPlane& control,
                                                          const DeviceEndpoints& endpoints,
                                                          const std::string& ca_certificate_pem);

}  // namespace andon::api
