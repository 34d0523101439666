// SPDX-License-Identifier: Apache-2.0
#include "api/s3_conditions.hpp"

#include <algorithm>
#include <ctime>

#include "api/s3_call.hpp"

namespace andon::api {
namespace {

// "*", or one of a list of entity tags.
bool names_etag(std::string_view header, const std::string& etag) {
  while (!header.empty()) {
    std::string_view item = header.substr(0, header.find(','));
    header.remove_prefix(std::min(item.size() + 1, header.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item == "*" || unquoted_etag(item) == etag) return true;
  }
  return false;
}

}  // namespace

std::optional<base::Timestamp> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return base::Timestamp(std::chrono::seconds(timegm(&parts)));
}

ReadCondition check_conditions(const wire::Headers& headers, const std::string& etag,
                               base::Timestamp last_modified) {
  // The header's dates have whole seconds.
  const auto modified = std::chrono::floor<std::chrono::seconds>(last_modified);
  const auto date_of = [&](std::string_view name) -> std::optional<base::Timestamp> {
    const auto field = headers.find(name);
    return field ? parse_http_date(*field) : std::nullopt;
  };
  if (const auto match = headers.find("If-Match")) {
    if (!names_etag(*match, etag)) return ReadCondition::failed;
  } else if (const auto since = date_of("If-Unmodified-Since"); since && modified > *since) {
    return ReadCondition::failed;
  }
  if (const auto none_match = headers.find("If-None-Match")) {
    if (names_etag(*none_match, etag)) return ReadCondition::not_modified;
  } else if (const auto since = date_of("If-Modified-Since"); since && modified <= *since) {
    return ReadCondition::not_modified;
  }
  return ReadCondition::met;
}

}  // namespace andon::api
