// SPDX-License-Identifier: Apache-2.0
// A range and its reduction to comparators contain the same releases.
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "recipe/version/semver.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto version = recipe::Version::parse(text)) {
    if (version->to_string() != text) std::abort();
  }
  try {
    const auto range = recipe::VersionRange::parse(text);
    const auto comparators = range.to_comparators();
    if (comparators.size() > 256) return 0;
    // "<=999999" ends below 1000000, which is no version itself.
    if (comparators.find("1000000") != std::string::npos) return 0;
    const auto reduced = recipe::VersionRange::parse(comparators);
    for (const char* probe : {"0.0.0", "0.0.1", "0.1.0", "1.0.0", "1.2.3", "1.2.4", "2.0.0",
                              "3.1.4", "999999.999999.999999"}) {
      const auto version = *recipe::Version::parse(probe);
      if (range.contains(version) != reduced.contains(version)) std::abort();
    }
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
