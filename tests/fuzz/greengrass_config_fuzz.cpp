// SPDX-License-Identifier: Apache-2.0
// The config.yaml of a Greengrass nucleus, by which a device is provisioned.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "edge/claim/files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  try {
    const auto files = edge::parse_greengrass_config(
        std::string_view(reinterpret_cast<const char*>(data), size), "config.yaml");
    if (files.thing_name.empty() || files.mqtt.port == 0) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
