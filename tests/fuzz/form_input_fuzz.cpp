// SPDX-License-Identifier: Apache-2.0
// Forms of AWS's query protocol, as clients send them to IAM and STS.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/form/form_input.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)andon::api::read_form({reinterpret_cast<const char*>(data), size});
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
