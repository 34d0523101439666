// SPDX-License-Identifier: Apache-2.0
// The unprivileged user that components run as where neither recipe nor deployment says anything.
// Called from main, before other threads are started.
#pragma once

#include <string>
#include <string_view>

namespace andon::edge {

// The one of this device, for resolve_run_as(): `wanted` where it is given, else Greengrass's
// (ggc_user:ggc_group) where the device has it, else andon-component, which is made if need be.
// An agent that is not root cannot choose: "", its own user. Throws failed_precondition, with what
// to do, where there is none and none can be made; what resolve_run_as() throws for `wanted`.
[[nodiscard]] std::string component_user(std::string_view wanted);

}  // namespace andon::edge
