// SPDX-License-Identifier: Apache-2.0
// Under which addresses devices were ever told to find this server, in its database: so that those
// that were enrolled under an earlier --host or port follow, and find a certificate for the name
// that they know until they have. The last few only. Used at the start, on the main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "fleet/provisioning/server_addresses.hpp"
#include "server/start/ports.hpp"
#include "store/sql/database.hpp"

namespace andon::server {

// Hosts of addresses before this start, newest first.
[[nodiscard]] std::vector<std::string> hosts_served_before(store::Database& database);

// Notes the address of this start. Nothing where it is the only one that there ever was: then
// nobody needs to be told.
[[nodiscard]] std::optional<fleet::ServerAddresses> note_served_address(
    store::Database& database, const ServerOptions& options, const Ports& ports,
    base::Timestamp now);

}  // namespace andon::server
