// SPDX-License-Identifier: Apache-2.0
// A filter pattern of logs, and a message that it is held against: the bytes before and after a
// line feed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "control/logs/log_pattern.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  try {
    const andon::control::LogPattern pattern(text.substr(0, end));
    if (end != std::string_view::npos) (void)pattern.matches(text.substr(end + 1));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
