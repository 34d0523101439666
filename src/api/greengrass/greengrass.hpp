// SPDX-License-Identifier: Apache-2.0
// The operations of AWS IoT Greengrass V2 (service "greengrass", model 2020-11-30): components,
// deployments, core devices. Rows for the operation table; `control` must outlive them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/table/operation.hpp"
#include "control/control_plane.hpp"

namespace andon::api {

// A URL by which an operator may read an object for a while.
using PresignObject = std::function<std::string(const std::string& bucket, const std::string& key)>;

[[nodiscard]] std::vector<Operation> greengrass_operations(control::ControlPlane& control,
                                                           PresignObject presign);

}  // namespace andon::api
