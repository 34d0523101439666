// SPDX-License-Identifier: Apache-2.0
#include "broker/settings/mosquitto.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "broker/access/access.hpp"

namespace andon::broker {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;

// Of one client that is away; with the sessions that a thing may have (broker::Limits), what it can
// make the broker hold.
constexpr std::size_t kQueuedBytes = 4U << 20U;

std::string value_of(const path& file) {
  const std::string text = file.string();
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20; })) {
    throw Error(ErrorCode::invalid_argument,
                "the data directory's name holds a control character, which mosquitto's "
                "configuration cannot hold: choose another one");
  }
  return text;
}

// For those that have a name and a password in the place of a certificate.
std::string users_listener(const MosquittoSettings& settings) {
  if (settings.users_port == 0) return {};
  return fmt::format(R"(listener {} {}
certfile {}
keyfile {}
require_certificate false
)",
                     settings.users_port, settings.address, value_of(settings.certificate_file),
                     value_of(settings.private_key_file));
}

std::string common_part(const MosquittoSettings& settings) {
  return fmt::format(
      R"(# Written at each start; changes are lost.
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
listener {port}{address}
cafile {ca}
certfile {certificate}
keyfile {key}
require_certificate true
)",
      fmt::arg("user", settings.user), fmt::arg("queued_bytes", kQueuedBytes),
      fmt::arg("kept_hours", kKeptSession.count()), fmt::arg("memory", settings.memory_bytes),
      fmt::arg("module", value_of(settings.module)), fmt::arg("view", value_of(settings.view_file)),
      fmt::arg("port", settings.port),
      fmt::arg("address", settings.address.empty() ? "" : " " + settings.address),
      fmt::arg("ca", value_of(settings.ca_file)),
      fmt::arg("certificate", value_of(settings.certificate_file)),
      fmt::arg("key", value_of(settings.private_key_file)));
}

}  // namespace

std::string mosquitto_configuration(const MosquittoSettings& settings) {
  return common_part(settings) + users_listener(settings);
}

std::string own_user() {
  const passwd* const entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

path find_mosquitto(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (access(name.c_str(), X_OK) == 0) return name;
  } else {
    const char* const search_path = std::getenv("PATH");
    std::string directories = search_path == nullptr ? "" : search_path;
    directories += ":/usr/sbin:/usr/local/sbin";  // not in everybody's PATH
    for (std::size_t begin = 0; begin <= directories.size();) {
      const std::size_t end = std::min(directories.find(':', begin), directories.size());
      const path candidate = path(directories.substr(begin, end - begin)) / name;
      if (candidate.is_absolute() && access(candidate.c_str(), X_OK) == 0) return candidate;
      begin = end + 1;
    }
  }
  throw Error(ErrorCode::failed_precondition,
              "cannot start the MQTT broker: '" + name +
                  "' is not installed: install it (apt-get install mosquitto)");
}

path find_broker_module() {
  constexpr std::string_view kName = "andon-broker.so";
  const path here = base::fs::read_symlink("/proc/self/exe").parent_path();
  // The last is where an agent looks that has come as a component.
  for (const path& candidate :
       {here / kName, here / "../lib/andon" / kName, here / "../lib/andon/andon-edge" / kName,
        path("/usr/lib/andon/andon-edge") / kName}) {
    if (access(candidate.c_str(), R_OK) == 0) return base::fs::canonical(candidate);
  }
  throw Error(ErrorCode::failed_precondition,
              "cannot start the MQTT broker: andon-broker.so is neither beside this program (" +
                  here.string() + ") nor in ../lib/andon: install the package as a whole");
}

}  // namespace andon::broker
