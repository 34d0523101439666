// SPDX-License-Identifier: Apache-2.0
#include "api/s3_range.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "api/s3_call.hpp"

namespace andon::api {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

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

RangeChoice choose_range(std::string_view header, std::uint64_t object_size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return WholeObject{};
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return WholeObject{};
  const auto first = parse_number(header.substr(0, dash));
  const auto last = parse_number(header.substr(dash + 1));
  if (dash == 0) {
    if (!last) return WholeObject{};
    if (*last == 0 || object_size == 0) return UnsatisfiableRange{};
    const std::uint64_t size = std::min(*last, object_size);
    return ByteRange{object_size - size, size};
  }
  const bool is_open = dash + 1 == header.size();
  if (!first || (!last && !is_open) || (last && *last < *first)) return WholeObject{};
  if (*first >= object_size) return UnsatisfiableRange{};
  const std::uint64_t end = last ? std::min(*last, object_size - 1) : object_size - 1;
  return ByteRange{*first, end - *first + 1};
}

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
