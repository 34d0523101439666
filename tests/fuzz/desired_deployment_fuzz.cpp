// SPDX-License-Identifier: Apache-2.0
// The shadow of a thing's deployment, as a device hears of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "fleet/messages/shadow_document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  try {
    const auto desired =
        fleet::read_desired_deployment(std::string_view(reinterpret_cast<const char*>(data), size));
    if (desired && desired->configuration_arn.empty()) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
