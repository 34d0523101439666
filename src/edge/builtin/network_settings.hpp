// SPDX-License-Identifier: Apache-2.0
// How this device reaches its server where a deployment says so: the keys of aws.greengrass.Nucleus
// for endpoints and proxies. What is wanted is kept in <root>/config/network.json, beside what the
// device was enrolled with, and holds from the next start of the agent on, which is at once:
// components go on over it. Other endpoints are on trial first, and given up where they do not
// answer. Values and files; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"
#include "edge/state/device_config.hpp"

namespace andon::edge {

enum class NetworkState { trial, good, failed };

struct NetworkSettings {
  // Empty: as the device was enrolled.
  std::optional<fleet::Endpoint> broker;
  std::optional<fleet::Endpoint> data_plane;
  std::vector<fleet::Endpoint> other_brokers;  // in order
  std::string proxy;                           // a URL, with user and password in it
  std::string no_proxy;
  NetworkState state = NetworkState::good;
  std::string why;  // it failed

  [[nodiscard]] bool wants_the_same(const NetworkSettings& other) const;
  [[nodiscard]] bool has_endpoints() const { return broker || data_plane; }
};

// What the nucleus' configuration wants; null: nothing. `enrolled` has the ports that it leaves
// out. Throws invalid_argument for what is no endpoint or no proxy.
[[nodiscard]] NetworkSettings wanted_network(const base::json::object* nucleus,
                                             const DeviceConfig& enrolled);

[[nodiscard]] std::string to_text(const NetworkSettings& settings);
[[nodiscard]] NetworkSettings parse_network_settings(std::string_view text);

// A file that cannot be read counts as none, and the log says so.
[[nodiscard]] NetworkSettings load_network(const Layout& layout);
// Waits for the disk.
void save_network(const Layout& layout, const NetworkSettings& settings);

// The device as it is to be reached. While other endpoints are good those of the enrolment come
// after them; on trial they stand for themselves.
[[nodiscard]] DeviceConfig with_network(DeviceConfig enrolled, const NetworkSettings& settings);

// For libcurl, and the components: before there are threads, and again in the same process.
void put_proxy_into_environment(const NetworkSettings& settings);
[[nodiscard]] const std::vector<std::string>& proxy_variables();

}  // namespace andon::edge
