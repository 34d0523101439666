// SPDX-License-Identifier: Apache-2.0
// The text of a regular expression as a tree, which the compiler turns into instructions.
// Internal to asl; pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/regex/regex_program.hpp"

namespace andon::query {

inline constexpr std::uint32_t kUnboundedRepeat = 0xFFFF'FFFF;

struct PatternNode {
  enum class Kind : std::uint8_t {
    empty,
    character,
    any,
    set,
    sequence,
    alternatives,
    group,
    repeat,
    assertion,
    back_reference,
    look
  };
  Kind kind = Kind::empty;
  char32_t character = 0;
  CharacterClass set;
  std::vector<PatternNode> children;
  std::uint32_t group = 0;       // capturing group number; 0: not capturing
  std::uint32_t last_group = 0;  // groups group_before+1..last_group are inside
  std::uint32_t group_before = 0;
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  bool lazy = false;
  bool negative = false;
  RegexOp assertion = RegexOp::line_begin;
  std::string name;
};

struct ParsedPattern {
  PatternNode root;
  std::uint32_t groups = 0;
  bool has_back_references = false;
};

// Throws base::Error(invalid_argument) for a malformed, too long or too deeply nested pattern.
[[nodiscard]] ParsedPattern parse_pattern(std::string_view pattern, Regex::Options options);

}  // namespace andon::query
