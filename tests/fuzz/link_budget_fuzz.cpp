// SPDX-License-Identifier: Apache-2.0
// The configurations of the nucleus' link budget and of the LogManager, and the volume as it is
// kept on the disk.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "edge/budget/budget_settings.hpp"
#include "edge/budget/volume_meter.hpp"
#include "edge/logs/log_settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace edge = andon::edge;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const edge::VolumeMeter::Now now{"boot", std::chrono::hours(1), andon::base::Timestamp{}};
  try {
    const edge::VolumeMeter meter(text, now);
    static_cast<void>(meter.until_fits(1, 1000, edge::VolumeMeter::kDay, now));
    static_cast<void>(edge::VolumeMeter(meter.to_text(now), now));
  } catch (const andon::base::Error&) {
  }
  static_cast<void>(edge::level_of(text));
  try {
    const auto value = andon::base::parse_json(text, "configuration");
    if (!value.is_object()) return 0;
    const auto read = edge::read_budget_settings(&value.get_object());
    for (const edge::LinkUse use : read.settings.order) {
      static_cast<void>(read.settings.minutes_closed(use, 17));
    }
    static_cast<void>(edge::read_log_settings(value.get_object()));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
