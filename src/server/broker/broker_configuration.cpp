// SPDX-License-Identifier: Apache-2.0
#include "server/broker/broker_configuration.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "broker/access/access.hpp"

namespace andon::server {
namespace {

// Of one client that is away; with the sessions that a thing may have (broker::Limits), what it can
// make the broker hold.
constexpr std::size_t kQueuedBytes = 4U << 20U;
// mosquitto refuses what would take more: the last resort, far above what a fleet of 10,000 needs.
constexpr std::size_t kMemory = std::size_t{2} << 30U;

std::string value_of(const base::fs::path& path) {
  const std::string text = path.string();
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20; })) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the data directory's name holds a control character, which mosquitto's "
                      "configuration cannot hold: choose another one");
  }
  return text;
}

// Started by root mosquitto would become the user "mosquitto", who may not read the server's files.
std::string own_user() {
  const passwd* const entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

// For those that have a name and a password in the place of a certificate.
std::string users_listener(const BrokerOptions& options) {
  if (options.users_port == 0) return {};
  return fmt::format(R"(listener {} {}
certfile {}
keyfile {}
require_certificate false
)",
                     options.users_port, options.address, value_of(options.certificate_file),
                     value_of(options.private_key_file));
}

std::string common_part(const BrokerOptions& options, const base::fs::path& view_file) {
  return fmt::format(
      R"(# Written by andon-server at each start; changes are lost.
user {user}
persistence false
log_dest stderr
log_timestamp false
log_type error
log_type warning
log_type notice
log_type information
sys_interval 60
set_tcp_nodelay true
# What is not in flight is queued in memory and, beyond the second number, silently dropped,
# although the publisher was told that it is delivered. 0 is "no limit"; not for the second: with
# it mosquitto 2.0.11 breaks the connection of a client whose publish it refuses. With no limit on
# what is in flight, queues are those of clients that are away and left a session behind.
max_inflight_messages 0
max_queued_messages 10000
max_queued_bytes {queued_bytes}
# AWS IoT stops at 128 KiB.
max_packet_size 1048576
persistent_client_expiration {kept_hours}h
memory_limit {memory}
allow_anonymous false
# Who may connect, publish and subscribe (src/broker).
plugin {module}
plugin_opt_view {view}
listener {port} {address}
cafile {ca}
certfile {certificate}
keyfile {key}
require_certificate true
)",
      fmt::arg("user", own_user()), fmt::arg("queued_bytes", kQueuedBytes),
      fmt::arg("kept_hours", broker::kKeptSession.count()), fmt::arg("memory", kMemory),
      fmt::arg("module", value_of(options.module)), fmt::arg("view", value_of(view_file)),
      fmt::arg("port", options.port), fmt::arg("address", options.address),
      fmt::arg("ca", value_of(options.ca_file)),
      fmt::arg("certificate", value_of(options.certificate_file)),
      fmt::arg("key", value_of(options.private_key_file)));
}

}  // namespace

std::string broker_configuration(const BrokerOptions& options, const base::fs::path& view_file) {
  return common_part(options, view_file) + users_listener(options);
}

}  // namespace andon::server
