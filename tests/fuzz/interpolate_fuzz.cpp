// SPDX-License-Identifier: Apache-2.0
// Platform patterns ride along: both are small languages inside recipes.
#include <string_view>

#include "base/error/error.hpp"
#include "recipe/recipe/interpolate.hpp"
#include "recipe/recipe/platform_pattern.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  recipe::InterpolationContext context;
  context.self.configuration = base::json::object{{"a", "x"}, {"b", base::json::array{1, "{a}"}}};
  context.self.artifacts_path = "/a";
  context.dependencies["c"].work_path = "/w";
  try {
    static_cast<void>(recipe::interpolate(text, context, "fuzz"));
  } catch (const base::Error&) {
    // A variable without a value.
  }
  try {
    const auto half = size / 2;
    static_cast<void>(recipe::PlatformPattern(text.substr(0, half)).matches(text.substr(half)));
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
