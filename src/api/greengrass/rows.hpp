// SPDX-License-Identifier: Apache-2.0
// The parts that greengrass_operations() is put together from, by what they are about.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/greengrass/greengrass.hpp"
#include "api/table/operation.hpp"
#include "control/control_plane.hpp"
#include "fleet/messages/data_plane.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> component_operations(control::ControlPlane& control,
                                                          PresignObject presign);
[[nodiscard]] std::vector<Operation> deployment_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> core_device_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> client_device_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> tag_operations(control::ControlPlane& control);

using ControlFunction =
    std::function<base::json::value(control::ControlPlane&, const OperationContext&)>;

// One row of the table: an operation of Greengrass that `function` answers out of `control`, which
// must outlive it.
[[nodiscard]] Operation operation_of(control::ControlPlane& control, std::string_view name,
                                     std::string_view method, std::string_view path, int status,
                                     ControlFunction function);

// Adds "tags" where the resource has some.
void put_tags(base::json::object& output, const control::ControlPlane& control,
              const std::string& arn);

// {"ConnectivityInfo": [...]}, in what operators and devices send and are answered. Throws
// invalid_argument naming the member.
[[nodiscard]] std::vector<control::CoreEndpoint> read_endpoints(const base::json::object& input);
[[nodiscard]] base::json::object show_endpoints(
    const std::vector<control::CoreEndpoint>& endpoints);

// As ResolveComponentCandidates answers it, to operators and devices.
[[nodiscard]] fleet::ResolvedVersion as_resolved(const control::ComponentVersion& component);

}  // namespace andon::api
