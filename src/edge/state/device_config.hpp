// SPDX-License-Identifier: Apache-2.0
// Who this device is and where its server is: <root>/config/device.json, written by `provision`,
// read by `run`. Keys and certificates lie beside it. Values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"
#include "edge/state/layout.hpp"
#include "fleet/provisioning/enrolment.hpp"

namespace andon::edge {

struct DeviceConfig {
  std::string thing_name;
  std::string region;
  fleet::Endpoint mqtt;
  fleet::Endpoint data_plane;
  std::string role_alias = "andon";
  std::string token_sha256;  // of the secret of the token that it was enrolled with; may be empty
  // Where its key is, as trust::load_private_key() takes it; empty: private_key_file().
  std::string private_key;

  // Not of the file: what a deployment says of the network (network_settings.hpp).
  std::vector<fleet::Endpoint> other_brokers;  // tried in order where `mqtt` does not answer
  std::string proxy;                           // a URL; empty: none but the environment's
  std::string no_proxy;                        // hosts, comma-separated

  [[nodiscard]] std::string data_plane_url() const { return data_plane.https_url(); }
};

// Files below <root>/config.
[[nodiscard]] fs::path private_key_file(const Layout& layout);
[[nodiscard]] fs::path certificate_file(const Layout& layout);
[[nodiscard]] fs::path ca_file(const Layout& layout);
// What proves with that certificate that the device is who it is: a file, or a key's URI.
[[nodiscard]] std::string private_key_of(const DeviceConfig& config, const Layout& layout);

// 32 random bytes that are this device's alone, kept in `file` (0600). Ones that are damaged are
// replaced.
[[nodiscard]] std::string load_or_make_secret(const fs::path& file);

[[nodiscard]] base::json::object to_json(const DeviceConfig& config);
// Throws invalid_argument naming the member that is missing or wrong.
[[nodiscard]] DeviceConfig parse_device_config(const base::json::value& value);
// Nothing for a device that has not been provisioned.
[[nodiscard]] std::optional<DeviceConfig> load_device_config(const Layout& layout);

}  // namespace andon::edge
