// SPDX-License-Identifier: Apache-2.0
#include "base/time/http_date.hpp"

#include <chrono>
#include <ctime>
#include <string>

namespace andon::base {

std::optional<Timestamp> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* const end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Timestamp(std::chrono::seconds(timegm(&parts)));
}

}  // namespace andon::base
