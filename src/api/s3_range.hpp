// SPDX-License-Identifier: Apache-2.0
// Byte ranges of HTTP (RFC 9110 section 14) and the conditions on a read (section 13). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.hpp"
#include "wire/http.hpp"

namespace andon::api {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool operator==(const ByteRange&) const = default;
};
struct WholeObject {
  bool operator==(const WholeObject&) const = default;
};
struct UnsatisfiableRange {
  bool operator==(const UnsatisfiableRange&) const = default;
};
using RangeChoice = std::variant<WholeObject, ByteRange, UnsatisfiableRange>;

// "bytes=0-99", "bytes=100-", "bytes=-5". What is malformed, or asks for several ranges, is the
// whole object, as the RFC allows.
[[nodiscard]] RangeChoice choose_range(std::string_view header, std::uint64_t object_size);

enum class ReadCondition { met, not_modified, failed };
// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, in the order of the RFC.
[[nodiscard]] ReadCondition check_conditions(const wire::Headers& headers, const std::string& etag,
                                             base::Timestamp last_modified);

[[nodiscard]] std::optional<base::Timestamp> parse_http_date(std::string_view text);

}  // namespace andon::api
