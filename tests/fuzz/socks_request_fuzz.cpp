// SPDX-License-Identifier: Apache-2.0
// What a program on this machine asks for at the way through a proxy.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "edge/builtin/network_settings.hpp"
#include "wire/mqtt/mqtt_tunnel.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  static_cast<void>(andon::wire::is_socks_request_for(text, {"plant", 8883}));
  try {
    static_cast<void>(andon::edge::parse_network_settings(text));
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
