// SPDX-License-Identifier: Apache-2.0
// RFC 3339 timestamps as the States Language takes them: with 'T', and 'Z' or an offset. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

#include "base/time/time.hpp"

namespace andon::asl {

// To nine digits of a second, in what order they come.
struct PreciseTime {
  base::Timestamp time;
  int nanos = 0;  // beyond the milliseconds of `time`
  auto operator<=>(const PreciseTime&) const = default;
};

// Nothing for text of another form or a day that does not exist. Fractions beyond nanoseconds are
// cut.
[[nodiscard]] std::optional<PreciseTime> parse_precise_time(std::string_view text);
// To milliseconds.
[[nodiscard]] std::optional<base::Timestamp> parse_rfc3339(std::string_view text);

}  // namespace andon::asl
