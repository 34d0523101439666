// SPDX-License-Identifier: Apache-2.0
#include "base/json/json_text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "base/text/escape.hpp"
#include "base/text/utf8.hpp"

namespace andon::base {

std::string json_text(const json::value& value) {
  const std::string whole = to_text(value);
  std::string safe;
  safe.reserve(whole.size());
  for (std::string_view text = whole; !text.empty();) {
    const CodePoint point = code_point_at(text, 0);
    const std::string_view one = text.substr(0, point.length);
    text.remove_prefix(one.size());
    if (escape_line(one) == one) {
      safe += one;
    } else {
      safe += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point.value));
    }
  }
  return safe;
}

}  // namespace andon::base
