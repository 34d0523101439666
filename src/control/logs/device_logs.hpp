// SPDX-License-Identifier: Apache-2.0
// Puts lines of a device's component into its log group, which is made where it is absent: a stream
// for each UTC day and thing. Any thread.
#pragma once

#include <string_view>

#include "control/logs/logs.hpp"
#include "fleet/messages/device_logs.hpp"

namespace andon::control {

// Stored when it returns. Lines that are too old or too new for a log group are dropped, as the API
// does. Throws as Logs does.
void put_device_logs(Logs& logs, std::string_view region, std::string_view thing,
                     const fleet::DeviceLogs& device_logs);

}  // namespace andon::control
