// SPDX-License-Identifier: Apache-2.0
// Lines of a component's log, as a device sends them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "fleet/messages/device_logs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace fleet = andon::fleet;
  try {
    const auto value = andon::base::parse_json({reinterpret_cast<const char*>(data), size}, "logs",
                                               fleet::kFromDevice);
    if (!value.is_object()) return 0;
    for (const auto& line : fleet::read_device_logs(value.get_object()).lines) {
      static_cast<void>(fleet::log_stream_of(line.time_ms, "a:b"));
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
