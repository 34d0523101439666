// SPDX-License-Identifier: Apache-2.0
// What a device may over HTTPS with its certificate alone: what the same certificate may at the
// broker (rights/topic_rights.hpp), and with shadows and retained messages what follows from it. A
// thing has its own shadows unless a policy denies them, another's never; an explicit Deny of
// iot:Connect for the client id that is its name shuts it out. Looks anew at each call, so that a
// change counts at once. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/table/device_caller.hpp"
#include "control/control_plane.hpp"

namespace andon::api {

class DeviceRights {
 public:
  // Must outlive it.
  explicit DeviceRights(const control::ControlPlane& control) : control_(control) {}

  // A DeviceRefusal.
  [[nodiscard]] std::optional<std::string> refusal(const Caller& device, std::string_view action,
                                                   const std::string& resource) const;

 private:
  // Why it may not, as the end of that sentence.
  [[nodiscard]] std::optional<std::string> objection(const Caller& device, std::string_view action,
                                                     const std::string& resource) const;

  const control::ControlPlane& control_;
};

}  // namespace andon::api
