// SPDX-License-Identifier: Apache-2.0
// What a component of the device asks andon-inspect for frames: used, or refused with a
// base::Error.
#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "inspect/live/live_ask.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  try {
    const auto event = base::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!event.is_object()) return 0;
    const auto ask = inspect::read_live_ask(inspect::live_message_of(event.get_object()));
    if (ask.per_second > 5 || ask.max_side > 1280 || ask.max_bytes > 92'160) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
