// SPDX-License-Identifier: Apache-2.0
// andon's own, in the answer to a device that asks for its job: where its server is from now on,
// and where it was before. A device that was enrolled under one of the earlier addresses follows;
// one whose address the server never had (a way through a gateway, say) stays where it is. Values;
// pure; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "fleet/provisioning/enrolment.hpp"

namespace andon::fleet {

// A server's two doors for devices.
struct ServerAddress {
  Endpoint mqtt;
  Endpoint data_plane;
  bool operator==(const ServerAddress&) const = default;
};
[[nodiscard]] json::object to_json(const ServerAddress& address);
// Throws invalid_argument naming what is missing or cannot be.
[[nodiscard]] ServerAddress read_server_address(const base::JsonReader& reader);

// Earlier addresses that are remembered, and told.
inline constexpr std::size_t kMaxAddressesBefore = 8;

struct ServerAddresses {
  ServerAddress now;
  std::vector<ServerAddress> before;  // newest first

  [[nodiscard]] bool was_at(const ServerAddress& address) const;
  bool operator==(const ServerAddresses&) const = default;
};

// Into the device's question; and whether it is there.
void ask_for_server_addresses(json::object& question);
[[nodiscard]] bool asks_for_server_addresses(const json::object& question);
// Into the answer.
void put_server_addresses(json::object& answer, const ServerAddresses& addresses);
// Nothing where the server does not say. Throws invalid_argument for what is malformed.
[[nodiscard]] std::optional<ServerAddresses> parse_server_addresses(std::string_view answer);

}  // namespace andon::fleet
