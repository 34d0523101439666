// SPDX-License-Identifier: Apache-2.0
// Restarts the device, as a component's bootstrap step wants it. Called when everything is stopped.
// A device that goes down ends this process; where it does not, this returns, with the reason in
// the log, and the agent goes on: the component's install step says what it lacks.
#pragma once

#include <string>

#include "base/os/service_manager.hpp"

namespace andon::edge {

// `command` is for /bin/sh; `service` hears meanwhile that the agent lives.
void restart_device(const std::string& command, const base::ServiceManager& service);

}  // namespace andon::edge
