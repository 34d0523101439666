// SPDX-License-Identifier: Apache-2.0
// Whether a request fits its shape, in the words in which AWS says that it does not: all problems
// at once, "2 validation errors detected: Value '...' at 'maxResults' failed to satisfy ...".
// Pure; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::api {

// A number is whole, a fraction need not be.
enum class MemberKind : std::uint8_t { text, number, flag, object, list, fraction };

struct MemberRule {
  std::string_view name;
  MemberKind kind = MemberKind::text;
  bool is_required = false;
  std::int64_t least = 0;  // length of a text or list, value of a number
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string_view> words = {};  // of a text: the only ones
  bool is_secret = false;                    // its value is not repeated in the message
};

// Throws ServiceError: `code`, or SerializationException for a member of another type.
// Members without a rule are not looked at here; those that nothing honours never get this far
// (table/honoured_members.hpp).
void check_members(const base::json::object& input, const std::vector<MemberRule>& rules,
                   std::string_view code = "ValidationException");

// Rules that come again and again.
namespace rules {

[[nodiscard]] MemberRule needed(MemberRule rule);
[[nodiscard]] MemberRule text(std::string_view name, std::int64_t least, std::int64_t most);
[[nodiscard]] MemberRule secret(std::string_view name, std::int64_t most, std::int64_t least = 0);
[[nodiscard]] MemberRule number(std::string_view name, std::int64_t least, std::int64_t most);
[[nodiscard]] MemberRule fraction(std::string_view name, std::int64_t least, std::int64_t most);
[[nodiscard]] MemberRule word(std::string_view name, std::vector<std::string_view> words);
[[nodiscard]] MemberRule flag_rule(std::string_view name);
[[nodiscard]] MemberRule object_rule(std::string_view name);
[[nodiscard]] MemberRule list_rule(std::string_view name, std::int64_t least = 0,
                                   std::int64_t most = 1'000'000);

}  // namespace rules

// A text member, where it is there and not null; its type has been checked.
[[nodiscard]] std::optional<std::string> maybe_text(const base::json::object& input,
                                                    std::string_view key);

}  // namespace andon::api
