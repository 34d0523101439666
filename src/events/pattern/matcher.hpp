// SPDX-License-Identifier: Apache-2.0
// One matcher of an event pattern: a literal ("running", 300, null) or {"prefix": "x"} and its
// kin, as EventBridge has them. Numbers count within 5,000,000,000 and to 6 decimals; case is
// ignored for ASCII letters only. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json/json.hpp"

namespace andon::events {

namespace json = base::json;

inline constexpr std::size_t kMostWildcards = 5;  // in one value

// Throws invalid_argument: "Event pattern is not valid. Reason: " + `reason`.
[[noreturn]] void refuse_pattern(const std::string& reason);

// A number within the bounds, in millionths; nothing for others.
[[nodiscard]] std::optional<std::int64_t> comparable_number(const json::value& value);

// Whether the text is what a wildcard stands for; `\*` is a star, `\\` a backslash.
[[nodiscard]] bool matches_wildcard(std::string_view wildcard, std::string_view text);

class Matcher {
 public:
  // Throws invalid_argument with EventBridge's words.
  explicit Matcher(const json::value& written);

  // Does it want the field not to be there?
  [[nodiscard]] bool is_absence() const;
  // `value` is a text, number, boolean or null of an event.
  [[nodiscard]] bool matches(const json::value& value) const;

  enum class Kind : std::uint8_t { prefix, suffix, ignore_case, wildcard };

 private:
  struct Literal {
    json::value value;
    std::optional<std::int64_t> number;
  };
  struct Text {
    Kind kind;
    bool ignores_case = false;
    std::string text;
  };
  struct NumberRange {
    std::optional<std::int64_t> above, below;
    bool includes_above = false;
    bool includes_below = false;
  };
  struct Network {
    std::array<unsigned char, 16> address{};
    std::size_t bytes = 4;
    unsigned bits = 0;
  };
  struct Exists {
    bool wanted;
  };
  struct NoneOf {
    std::vector<std::variant<Literal, Text>> others;
  };

  static Literal literal(const json::value& value);
  static Text text(Kind kind, const json::value& value);
  static NoneOf none_of(const json::value& value);
  static NumberRange range(const json::value& value);
  static Network network(const json::value& value);
  static bool matches(const Literal& literal, const json::value& value);
  static bool matches(const Text& text, const json::value& value);
  static bool matches(const NumberRange& range, const json::value& value);
  static bool matches(const Network& network, const json::value& value);
  static bool matches(const Exists& exists, const json::value& value);
  static bool matches(const NoneOf& none, const json::value& value);

  std::variant<Literal, Text, NumberRange, Network, Exists, NoneOf> what_;
};

}  // namespace andon::events
