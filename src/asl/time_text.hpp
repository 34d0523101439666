// SPDX-License-Identifier: Apache-2.0
// RFC 3339 timestamps as the States Language takes them: with 'T', and 'Z' or an offset. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace andon::asl {

// Nothing for text of another form or a day that does not exist. Fractions beyond milliseconds
// are cut.
[[nodiscard]] std::optional<base::Timestamp> parse_rfc3339(std::string_view text);

}  // namespace andon::asl
