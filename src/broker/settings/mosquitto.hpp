// SPDX-License-Identifier: Apache-2.0
// Room: settings. How a mosquitto is set up that loads the module of this folder: its configuration
// file as text, and where the program and the module lie. One place for the server's broker and for
// the one that a core device has for its client devices. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/os/file.hpp"

namespace andon::broker {

struct MosquittoSettings {
  base::fs::path module;     // andon-broker.so
  base::fs::path view_file;  // view/view_file.hpp
  std::string user;          // that a mosquitto becomes which root has started; a name or a number
  std::string address;       // an IP address; empty: all
  std::uint16_t port = 0;
  base::fs::path ca_file;  // of clients' certificates
  base::fs::path certificate_file;
  base::fs::path private_key_file;
  // Where users with passwords are listened for (TLS without a client's certificate); 0: nowhere.
  std::uint16_t users_port = 0;
  std::size_t memory_bytes = 0;  // mosquitto refuses what would take more
};

// Throws invalid_argument for a path that mosquitto's format cannot hold.
[[nodiscard]] std::string mosquitto_configuration(const MosquittoSettings& settings);

// Of this process.
[[nodiscard]] std::string own_user();

// A path as it is; a name is searched in PATH, /usr/sbin and /usr/local/sbin. Throws
// failed_precondition where it is not installed.
[[nodiscard]] base::fs::path find_mosquitto(const std::string& program = "mosquitto");

// andon-broker.so beside this program, in ../lib/andon, or in andon-edge's own folder there. Throws
// failed_precondition.
[[nodiscard]] base::fs::path find_broker_module();

}  // namespace andon::broker
