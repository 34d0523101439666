// SPDX-License-Identifier: Apache-2.0
// What andon-server can be told, as flags, environment variables and in a YAML file.
// Plain values; filled before any thread is started.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.hpp"

namespace CLI {
class App;
}

namespace andon::server {

struct ServerOptions {
  base::fs::path data;  // the data directory
  std::string api_address = "127.0.0.1";
  std::uint16_t api_port = 8080;  // 0, for each port: any free one, the same at the next start
  std::string device_address = "0.0.0.0";  // of the device plane and of MQTT
  std::uint16_t device_port = 8443;
  std::uint16_t mqtt_port = 8883;
  // Names and addresses by which the server is reached; the first is the one given to devices.
  std::vector<std::string> hosts = {"localhost"};
  std::string region = "us-east-1";
  std::string mosquitto = "mosquitto";  // program name or path
};

void add_server_options(CLI::App& app, ServerOptions& options);

// Throws invalid_argument for what no single option's check can see.
void check_server_options(const ServerOptions& options);

}  // namespace andon::server
