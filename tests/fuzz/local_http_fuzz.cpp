// SPDX-License-Identifier: Apache-2.0
// Requests to the token exchange service.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "edge/local_http.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    static_cast<void>(andon::edge::parse_local_http(std::string(data, data + size)));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
