// SPDX-License-Identifier: Apache-2.0
// What `andon-edge status` shows: the device, what runs on it and its last deployment. The running
// agent keeps <root>/run/status.json up to date; the rest is read from config.db.
#pragma once

#include <string>

#include "base/json/fwd.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

// Replaces the file in one step; not fsynced, as it means nothing after a power loss.
void write_live_status(const Layout& layout, const base::json::object& status);

// Works with and without a running agent. Throws failed_precondition for a root that is not
// provisioned.
[[nodiscard]] base::json::object read_status(const Layout& layout);
[[nodiscard]] std::string to_readable(const base::json::object& status);

}  // namespace andon::edge
