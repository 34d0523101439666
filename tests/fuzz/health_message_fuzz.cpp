// SPDX-License-Identifier: Apache-2.0
// A health message and a report in the shadow: what is taken is written and read back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "fleet/messages/health_message.hpp"
#include "fleet/messages/shadow_document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string text(data, data + size);
  try {
    const std::string written = base::to_text(to_json(fleet::parse_health_message(text)));
    if (base::to_text(to_json(fleet::parse_health_message(written))) != written) std::abort();
  } catch (const base::Error&) {
  }
  try {
    const base::json::value value = base::parse_json(text, "reported", fleet::kFromDevice);
    if (!value.is_object()) return 0;
    const auto report = fleet::read_shadow_report(value.get_object());
    if (!report) return 0;
    const auto again = fleet::read_shadow_report(to_json(*report));
    if (!again || to_json(*again) != to_json(*report)) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
