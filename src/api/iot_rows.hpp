// SPDX-License-Identifier: Apache-2.0
// The parts that iot_operations() is put together from, by what they are about.
#pragma once

#include <string_view>
#include <vector>

#include "api/operation.hpp"
#include "control/control_plane.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> thing_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> thing_group_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> certificate_operations(control::ControlPlane& control);

// One row of service "iot"; `function` takes the control plane and the context.
template <typename Function>
Operation iot_row(control::ControlPlane& control, std::string_view name, std::string_view method,
                  std::string_view path, Function function) {
  return {"iot",
          name,
          Protocol::rest_json,
          method,
          path,
          200,
          [&control, function](const OperationContext& context) -> base::json::value {
            return function(control, context.input);
          }};
}

}  // namespace andon::api
