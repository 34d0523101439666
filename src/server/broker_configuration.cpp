// SPDX-License-Identifier: Apache-2.0
#include "server/broker_configuration.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "server/authority.hpp"

namespace andon::server {
namespace {

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

}  // namespace

std::string broker_configuration(const BrokerOptions& options,
                                 const base::fs::path& access_rules_file) {
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
# it mosquitto 2.0.11 breaks the connection of a client whose publish it refuses.
max_inflight_messages 0
max_queued_messages 100000
# AWS IoT stops at 128 KiB.
max_packet_size 1048576
persistent_client_expiration 14d
allow_anonymous false
acl_file {acl}
listener {port} {address}
cafile {ca}
certfile {certificate}
keyfile {key}
require_certificate true
use_identity_as_username true
)",
      fmt::arg("user", own_user()), fmt::arg("acl", value_of(access_rules_file)),
      fmt::arg("port", options.port), fmt::arg("address", options.address),
      fmt::arg("ca", value_of(options.ca_file)),
      fmt::arg("certificate", value_of(options.certificate_file)),
      fmt::arg("key", value_of(options.private_key_file)));
}

std::string broker_access_rules() {
  // '#' does not cover topics that begin with '$', so those are named. `pattern` lines hold for
  // every client; %u is the CN of its certificate, which never has '+', '#' or '/'.
  std::string rules = "# Written by andon-server at each start; changes are lost.\n";
  for (const std::string_view name : {kServerClientName, kOperatorName}) {
    rules += fmt::format(
        "user {}\n"
        "topic readwrite #\n"
        "topic readwrite $aws/#\n"
        "topic read $SYS/#\n",
        name);
  }
  rules +=
      "pattern readwrite $aws/things/%u/#\n"
      "pattern readwrite andon/things/%u/#\n"
      "pattern readwrite dt/+/%u/#\n"
      "pattern read cmd/+/%u/#\n"
      "pattern read andon/broadcast/#\n";
  return rules;
}

}  // namespace andon::server
