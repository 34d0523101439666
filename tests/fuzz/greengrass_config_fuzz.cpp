// SPDX-License-Identifier: Apache-2.0
// The config.yaml of a Greengrass nucleus, by which a device is provisioned, and in it the URIs of
// keys on tokens.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "edge/builtin/token_settings.hpp"
#include "edge/claim/files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto files = edge::parse_greengrass_config(text, "config.yaml");
    if (files.thing_name.empty() || files.mqtt.port == 0) std::abort();
  } catch (const base::Error&) {
  }
  try {
    static_cast<void>(edge::read_greengrass_key(text, "/var/lib/andon/edge/config/token-pin"));
  } catch (const base::Error&) {
  }
  return 0;
}
