// SPDX-License-Identifier: Apache-2.0
// Who this device is and where its server is: <root>/config/device.json, written by `provision`,
// read by `run`. Keys and certificates lie beside it. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "edge/layout.hpp"

namespace andon::edge {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct DeviceConfig {
  std::string thing_name;
  std::string region;
  Endpoint mqtt;
  Endpoint data_plane;
  std::string role_alias = "andon";

  [[nodiscard]] std::string data_plane_url() const;  // "https://host:8443"
};

// Files below <root>/config.
[[nodiscard]] fs::path private_key_file(const Layout& layout);
[[nodiscard]] fs::path certificate_file(const Layout& layout);
[[nodiscard]] fs::path ca_file(const Layout& layout);

[[nodiscard]] base::json::object to_json(const DeviceConfig& config);
// Throws invalid_argument naming the member that is missing or wrong.
[[nodiscard]] DeviceConfig parse_device_config(const base::json::value& value);
// Nothing for a device that has not been provisioned.
[[nodiscard]] std::optional<DeviceConfig> load_device_config(const Layout& layout);

}  // namespace andon::edge
