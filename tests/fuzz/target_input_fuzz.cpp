// SPDX-License-Identifier: Apache-2.0
// A target's Input, InputPath or InputTransformer, and the event: JSON before and after a line
// feed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "events/rules/target_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  try {
    auto target = andon::base::parse_json(text.substr(0, end), "target");
    const auto event = andon::base::parse_json(text.substr(end + 1), "event");
    if (!target.is_object() || !event.is_object()) return 0;
    target.get_object()["Id"] = "T";
    andon::events::check_target_input(target.get_object());
    (void)andon::events::target_input(target.get_object(), {event.get_object(), "arn", "name",
                                                            andon::base::from_epoch_millis(0)});
  } catch (const andon::base::Error&) {
  }
  return 0;
}
