// SPDX-License-Identifier: Apache-2.0
// Requests about a shadow, one a line, as a device sends them: what is kept stays within its
// limits, and the same again changes nothing but the version.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "fleet/shadows/shadow.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  fleet::Shadow shadow;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
    try {
      const auto request = fleet::parse_shadow_request(line);
      (void)fleet::get_shadow(shadow, "", request, 1);
      const auto before = shadow;
      shadow = fleet::update_shadow(shadow, request, 1).shadow;
      if (base::to_text(shadow.state).size() > fleet::kMostShadowBytes) std::abort();
      if (!fleet::patch_between(shadow.state, shadow.state).empty()) std::abort();
      (void)fleet::patch_between(before.state, shadow.state);
      if (request.contains("version")) continue;
      const auto again = fleet::update_shadow(shadow, request, 1).shadow;
      if (again.state != shadow.state || again.version != shadow.version + 1) std::abort();
    } catch (const base::Error&) {
    }
  }
  return 0;
}
