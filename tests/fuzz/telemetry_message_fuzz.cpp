// SPDX-License-Identifier: Apache-2.0
// Telemetry of a device: what is taken is written and read back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "fleet/telemetry/telemetry_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  try {
    const std::string text(data, data + size);
    for (const fleet::TelemetryPoint& point : fleet::parse_telemetry_message(text)) {
      const std::string written = base::to_text(fleet::to_telemetry_message(point));
      const auto again = fleet::parse_telemetry_message(written);
      if (again.size() != 1 || base::to_text(fleet::to_telemetry_message(again[0])) != written) {
        std::abort();
      }
    }
  } catch (const base::Error&) {
  }
  return 0;
}
