// SPDX-License-Identifier: Apache-2.0
// The config.yaml of a nucleus, and in it the URIs of keys on tokens.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "edge/builtin/token_settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    static_cast<void>(andon::edge::read_greengrass_key(
        {reinterpret_cast<const char*>(data), size}, "/var/lib/andon/edge/config/token-pin"));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
