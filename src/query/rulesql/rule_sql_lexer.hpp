// SPDX-License-Identifier: Apache-2.0
// The words of a rule's SQL. Internal to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::query {

struct RuleToken {
  enum class Kind : std::uint8_t { name, quoted_name, text, number, sign, end };
  Kind kind = Kind::end;
  std::string text;         // a name as it stands, a text without quotes, a sign
  base::json::value value;  // of a number
  std::size_t at = 0;       // byte
};

// Ends with a token of kind end. Throws invalid_argument naming the place.
[[nodiscard]] std::vector<RuleToken> read_rule_tokens(std::string_view text);

}  // namespace andon::query
