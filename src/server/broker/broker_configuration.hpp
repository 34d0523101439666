// SPDX-License-Identifier: Apache-2.0
// What mosquitto is told: its configuration file, as text. Pure.
#pragma once

#include <string>

#include "server/broker/broker.hpp"

namespace andon::server {

// Throws invalid_argument for a path that mosquitto's format cannot hold.
[[nodiscard]] std::string broker_configuration(const BrokerOptions& options,
                                               const base::fs::path& view_file);

}  // namespace andon::server
