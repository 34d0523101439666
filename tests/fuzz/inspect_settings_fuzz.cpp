// SPDX-License-Identifier: Apache-2.0
// The configuration that a deployment gives to andon-inspect: used, or refused with a base::Error.
#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "inspect/look/settings.hpp"
#include "inspect/video/aravis_address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto configuration =
        andon::base::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const auto settings = andon::inspect::read_settings(configuration, {});
    if (!(settings.confidence >= 0 && settings.confidence <= 1)) std::abort();
    if (!(settings.uploads.low <= settings.uploads.high) || settings.uploads_per_hour < 0)
      std::abort();
    for (const std::string& source : settings.sources) {
      if (!source.starts_with(andon::inspect::kAravisScheme)) continue;
      const auto camera = andon::inspect::read_aravis_address(source);
      if (camera.name.empty() || camera.features.size() > 64) std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
