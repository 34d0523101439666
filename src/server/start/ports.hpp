// SPDX-License-Identifier: Apache-2.0
// Which ports the server has, where its options leave the choice open: the same after a restart, so
// that devices find it again. And server.json, by which scripts find it. Used at start and end.
#pragma once

#include <cstdint>

#include "server/options/server_options.hpp"

namespace andon::server {

struct Ports {
  std::uint16_t api = 0;
  std::uint16_t device = 0;
  std::uint16_t mqtt = 0;
  std::uint16_t mqtt_users = 0;  // may be taken: it is looked at when it is needed
  bool operator==(const Ports&) const = default;
};

// Throws unavailable where a port that was asked for is taken. Remembers free choices in
// <data>/ports.json.
[[nodiscard]] Ports choose_ports(const ServerOptions& options);

struct ServerUrls {
  std::string api;           // http://127.0.0.1:8080
  std::string device_plane;  // https://host:8443
  std::string mqtt_host;
  std::uint16_t mqtt_port = 0;
};
[[nodiscard]] ServerUrls server_urls(const ServerOptions& options, const Ports& ports);

// <data>/server.json: there while the server is ready (or was, when it was killed).
// `trusted`: a file there with whom to believe at the API; empty: its CA.
void announce(const base::fs::path& data, const ServerUrls& urls,
              const base::fs::path& trusted = {});
void withdraw_announcement(const base::fs::path& data);

}  // namespace andon::server
