// SPDX-License-Identifier: Apache-2.0
// Enrolment tokens as people paste them.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "fleet/provisioning/enrolment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    static_cast<void>(andon::fleet::parse_enrolment_token(std::string(data, data + size)));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
