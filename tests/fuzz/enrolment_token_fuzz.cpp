// SPDX-License-Identifier: Apache-2.0
// Enrolment tokens as people paste them.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "edge/provision.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    static_cast<void>(andon::edge::parse_enrolment_token(std::string(data, data + size)));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
