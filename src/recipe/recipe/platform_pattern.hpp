// SPDX-License-Identifier: Apache-2.0
// The regular expressions of a recipe's Platform. They come from outside, so they are matched in
// time linear in the text: literals, ., [classes], \d \w \s, groups, |, * + ? {n,m}, ^ and $.
// What that cannot do (back-references, look-around) is refused. Values; pure; any thread.
#pragma once

#include <bitset>
#include <cstddef>
#include <string_view>
#include <vector>

namespace andon::recipe {

class PlatformPattern {
 public:
  static constexpr std::size_t kMaxLength = 256;
  static constexpr std::size_t kMaxStates = 4096;

  // Throws invalid_argument naming the pattern and what it may not hold.
  explicit PlatformPattern(std::string_view pattern);

  // The whole of `text` fits, as in Java's matches().
  [[nodiscard]] bool matches(std::string_view text) const;

  using CharacterSet = std::bitset<256>;

 private:
  struct State {
    enum class Kind { character, split, accept } kind = Kind::accept;
    CharacterSet characters;
    std::size_t next = 0;
    std::size_t other = 0;  // split only
  };
  friend class PatternCompiler;

  void add_closure(std::size_t state, std::vector<std::size_t>& active,
                   std::vector<bool>& seen) const;

  std::vector<State> states_;
  std::size_t start_ = 0;
};

}  // namespace andon::recipe
