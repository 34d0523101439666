// SPDX-License-Identifier: Apache-2.0
// An event pattern and an event that it is held against: the bytes before and after a line feed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "events/pattern/pattern.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  try {
    const andon::events::Pattern pattern(text.substr(0, end));
    if (end == std::string_view::npos) return 0;
    const auto event = andon::base::parse_json(text.substr(end + 1), "event", {.max_depth = 100});
    if (const auto* object = event.if_object()) (void)pattern.matches(*object);
  } catch (const andon::base::Error&) {
  }
  return 0;
}
