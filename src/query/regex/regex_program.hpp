// SPDX-License-Identifier: Apache-2.0
// The compiled form of a Regex: instructions of a backtracking matcher. Internal to asl; made by
// compile_regex, immutable after that, any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "query/regex/regex.hpp"

namespace andon::query {

struct CharacterClass {
  std::vector<std::pair<char32_t, char32_t>> ranges;
  bool negated = false;
  [[nodiscard]] bool contains(char32_t value) const;
};

enum class RegexOp : std::uint8_t {
  character,     // argument: code point
  any,           // but a line end, unless dot_all
  one_of,        // argument: class
  split,         // tries `first`, then `second`; argument: number of the split
  jump,          // first
  save,          // argument: slot
  reset_groups,  // groups first..second forget their matches
  loop_start,    // argument: slot that remembers the position
  loop_check,    // fails where nothing was consumed since loop_start
  line_begin,
  line_end,
  word_boundary,
  not_word_boundary,
  back_reference,  // argument: group
  look_ahead,      // first..second is the body; argument: 1 if it must not match
  look_behind,
  match,
};

struct RegexInstruction {
  RegexOp op = RegexOp::match;
  std::uint32_t argument = 0;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};

struct Regex::Program {
  std::vector<RegexInstruction> code;
  std::vector<CharacterClass> classes;
  std::size_t groups = 0;
  std::size_t slots = 0;  // 2 * (groups + 1), then the loop registers
  std::size_t splits = 0;
  bool remembers = true;  // no back references: a failed (split, position) fails for ever
  Regex::Options options;

  [[nodiscard]] static Program compile(std::string_view pattern, Regex::Options options);
};

}  // namespace andon::query
