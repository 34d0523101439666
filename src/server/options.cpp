// SPDX-License-Identifier: Apache-2.0
#include "server/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.hpp"

namespace andon::server {
namespace {

constexpr std::size_t kMaxHosts = 100;

bool is_host(const std::string& text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == ':';
  });
}

}  // namespace

void add_server_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--data", options.data, "Data directory; made if absent")
      ->type_name("DIR")
      ->required();
  app.add_option("--api-address", options.api_address,
                 "Where the operator API listens; TLS unless it is a loopback address")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--api-port", options.api_port, "Its port; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--device-address", options.device_address,
                 "Where devices are listened for (HTTPS and MQTT, both with mutual TLS)")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--device-port", options.device_port, "HTTPS port for devices; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--mqtt-port", options.mqtt_port, "MQTT port for devices; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--host", options.hosts,
                 "Names and addresses by which this server is reached; devices are given the first")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--region", options.region, "AWS region that ARNs are written with")
      ->type_name("REGION")
      ->capture_default_str();
  app.add_option("--mosquitto", options.mosquitto, "The broker's program")
      ->type_name("PROGRAM")
      ->capture_default_str();
}

void check_server_options(const ServerOptions& options) {
  const auto refuse = [](const std::string& message) {
    throw base::Error(base::ErrorCode::invalid_argument, message);
  };
  if (options.hosts.empty() || options.hosts.size() > kMaxHosts) {
    refuse("--host must name 1 to 100 hosts");
  }
  for (const std::string& host : options.hosts) {
    if (!is_host(host)) refuse("--host '" + host + "' is not a host name or an IP address");
  }
  if (options.region.empty() || options.region.find_first_not_of(
                                    "abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    refuse("--region '" + options.region + "' is not a region's name, such as us-east-1");
  }
  const std::uint16_t ports[] = {options.api_port, options.device_port, options.mqtt_port};
  for (std::size_t i = 0; i < std::size(ports); ++i) {
    for (std::size_t j = i + 1; j < std::size(ports); ++j) {
      if (ports[i] != 0 && ports[i] == ports[j]) {
        refuse("--api-port, --device-port and --mqtt-port must differ; two of them are " +
               std::to_string(ports[i]));
      }
    }
  }
}

}  // namespace andon::server
