// SPDX-License-Identifier: Apache-2.0
// The parts that iot_operations() is put together from, by what they are about.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/constraints/rows.hpp"
#include "api/table/operation.hpp"
#include "base/error/error.hpp"
#include "control/control_plane.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> thing_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> thing_type_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> iot_tag_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> indexing_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> thing_group_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> certificate_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> new_certificate_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> policy_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> policy_target_operations(control::ControlPlane& control);
[[nodiscard]] std::vector<Operation> test_authorization_operations(control::ControlPlane& control);

// The older lists: pageSize (1 to 250, else 25) and marker.
[[nodiscard]] control::PageRequest read_marker_page(const base::json::object& input);
void put_next_marker(base::json::object& output, const std::optional<std::string>& next);
// IoT policies as lists show them.
[[nodiscard]] base::json::object policies_page(const control::ControlPlane& control,
                                               const control::Page<std::string>& names);
// tags: [{Key, Value}].
[[nodiscard]] control::TagMap read_iot_tags(const base::json::object& input);
// The id in the certificate's ARN that the member `key` is.
[[nodiscard]] std::string read_certificate_arn(const base::json::object& input,
                                               std::string_view key);

// Runs `act`, whose failure `of` AWS names `code`.
template <typename Act>
auto naming(base::ErrorCode of, int status, const char* code, Act act) {
  try {
    return act();
  } catch (const base::Error& error) {
    if (error.code() != of) throw;
    throw ServiceError(status, code, error.message());
  }
}

// One row of service "iot"; `function` takes the control plane and the context.
template <typename Function>
Operation iot_row(control::ControlPlane& control, std::string_view name, std::string_view method,
                  std::string_view path, Function function) {
  return rest_row("iot", name, method, path, std::ref(control), std::move(function));
}

}  // namespace andon::api
