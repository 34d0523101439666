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
#include "fleet/provisioning/server_addresses.hpp"

namespace andon::edge {

enum class NetworkState { trial, good, failed };

struct NetworkSettings {
  // Empty: as the device was enrolled.
  std::optional<fleet::Endpoint> broker;
  std::optional<fleet::Endpoint> data_plane;
  std::vector<fleet::Endpoint> other_brokers;  // in order
  std::string proxy;  // a URL, with user and password in it; empty: as the device was enrolled
  std::string no_proxy;
  NetworkState state = NetworkState::good;
  std::string why;  // it failed

  // Where the device has found its server since, as that had said; empty: where it was enrolled.
  // What a deployment says comes before it.
  std::optional<fleet::ServerAddress> moved_to;
  // Where the server says that it is, and has not been found so far: on trial, or given up.
  std::optional<fleet::ServerAddress> told;
  NetworkState told_state = NetworkState::trial;
  std::string told_why;  // it was given up

  // As far as deployments are concerned.
  [[nodiscard]] bool wants_the_same(const NetworkSettings& other) const;
  // What is to be tried now: what a deployment says, or where the server has moved to.
  [[nodiscard]] bool tries_deployment() const {
    return has_endpoints() && state == NetworkState::trial;
  }
  [[nodiscard]] bool tries_move() const {
    const bool is_covered = has_endpoints() && state != NetworkState::failed;
    return told && told_state == NetworkState::trial && !is_covered;
  }
  [[nodiscard]] bool has_endpoints() const { return broker || data_plane; }
};

// What the nucleus' configuration wants; null: nothing. `device` has the ports that it leaves
// out: as with_move() gives it. Throws invalid_argument for what is no endpoint or no proxy.
[[nodiscard]] NetworkSettings wanted_network(const base::json::object* nucleus,
                                             const DeviceConfig& device);

// What a device is to try from what its server says of itself; nothing where it is there, has tried
// it, or where it found its server under an address that the server does not know of.
[[nodiscard]] std::optional<fleet::ServerAddress> address_to_try(
    const fleet::ServerAddresses& addresses, const DeviceConfig& enrolled,
    const NetworkSettings& settings);
// The trial of `told` is over, and it answers.
void keep_told_address(NetworkSettings& settings, const DeviceConfig& enrolled);

[[nodiscard]] std::string to_text(const NetworkSettings& settings);
[[nodiscard]] NetworkSettings parse_network_settings(std::string_view text);

// A file that cannot be read counts as none, and the log says so.
[[nodiscard]] NetworkSettings load_network(const Layout& layout);
// Waits for the disk.
void save_network(const Layout& layout, const NetworkSettings& settings);

// The device where its server is, whatever deployments say.
[[nodiscard]] DeviceConfig with_move(DeviceConfig enrolled, const NetworkSettings& settings);
// The device as it is to be reached. While other endpoints are good those of the enrolment come
// after them; on trial they stand for themselves.
[[nodiscard]] DeviceConfig with_network(DeviceConfig enrolled, const NetworkSettings& settings);

// A proxy's URL without what follows its port. Throws invalid_argument, which begins with `what`,
// for what is none.
[[nodiscard]] std::string proxy_url(std::string url, std::string_view what);

// For libcurl, and the components: before there are threads, and again in the same process.
// `device` as with_network() gives it.
void put_proxy_into_environment(const DeviceConfig& device);
[[nodiscard]] const std::vector<std::string>& proxy_variables();

}  // namespace andon::edge
