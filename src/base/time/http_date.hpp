// SPDX-License-Identifier: Apache-2.0
// The date of HTTP, as it is read; base/time/time.hpp writes it. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/time/time.hpp"

namespace andon::base {

// Sun, 22 Nov 2026 10:00:00 GMT, and no other form.
[[nodiscard]] std::optional<Timestamp> parse_http_date(std::string_view text);

}  // namespace andon::base
