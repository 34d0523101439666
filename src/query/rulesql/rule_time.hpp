// SPDX-License-Identifier: Apache-2.0
// Times in the patterns of parse_time() and time_to_epoch(): yyyy MM dd HH mm ss SSS, EEE, MMM, a
// zone (Z, XXX), and texts in single quotes; all in UTC. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"

namespace andon::query {

// Nothing for a pattern with other letters.
[[nodiscard]] std::optional<std::string> format_rule_time(std::string_view pattern,
                                                          base::Timestamp time);
// Nothing where the text is not of the pattern.
[[nodiscard]] std::optional<base::Timestamp> parse_rule_time(std::string_view pattern,
                                                             std::string_view text);

}  // namespace andon::query
