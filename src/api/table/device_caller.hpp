// SPDX-License-Identifier: Apache-2.0
// A device that calls an operation with its certificate in the place of a signature. No user and no
// role: its IoT policies decide (device/device_rights.hpp), not those of IAM. Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/table/operation.hpp"

namespace andon::api {

// Its principal is "thing/<name>", its `certificate` the id of the one that it shows.
[[nodiscard]] inline bool is_device(const Caller& caller) {
  return caller.access_key_id.empty() && !caller.certificate.empty() &&
         caller.principal.starts_with("thing/");
}

// The sentence that refuses an action on a resource (an ARN, or "*"); nothing where the device may.
using DeviceRefusal = std::function<std::optional<std::string>(
    const Caller& device, std::string_view action, const std::string& resource)>;

}  // namespace andon::api
