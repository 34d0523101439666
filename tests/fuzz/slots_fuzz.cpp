// SPDX-License-Identifier: Apache-2.0
// The file that says which agent runs: whatever is in it, an agent is chosen.
#include <cstdint>
#include <cstdlib>

#include "launch/slots/choice.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  andon::launch::Slots slots;
  const bool is_read = andon::launch::parse_slots(reinterpret_cast<const char*>(data), size, slots);
  if (!is_read && slots != andon::launch::Slots{}) std::abort();
  andon::launch::Now now{{1, 2}, 1000, "boot"};
  static_cast<void>(andon::launch::choose(slots, now));
  return 0;
}
