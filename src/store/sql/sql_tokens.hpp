// SPDX-License-Identifier: Apache-2.0
// A statement's text in tokens, as far as one must look at it before SQLite does: what its quoted
// names say, whether it is one query, and how far its WITH names unfold. No grammar. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace andon::store {

struct SqlToken {
  enum class Kind : std::uint8_t {
    word,    // a keyword or a bare name
    name,    // a quoted name: "x", `x` or [x]
    text,    // 'x'
    number,  // begins with a digit
    sign,    // one character
  };
  Kind kind = Kind::sign;
  std::string_view raw;  // as it is written
  std::string value;     // of a name without quotes; of a word in lower case; else empty

  [[nodiscard]] bool is_word(std::string_view word) const {
    return kind == Kind::word && value == word;
  }
  [[nodiscard]] bool is_sign(char sign) const { return kind == Kind::sign && raw.front() == sign; }
  [[nodiscard]] bool is_name() const { return kind == Kind::word || kind == Kind::name; }
};

inline constexpr std::size_t kMostSqlTokens = 100'000;

// Without blanks and comments; `raw` points into `sql`. Throws invalid_argument for a quote or a
// comment that does not end, a NUL, or too many tokens.
[[nodiscard]] std::vector<SqlToken> sql_tokens(std::string_view sql);

// The names that WITH clauses define, wherever they stand, in lower case.
[[nodiscard]] std::set<std::string, std::less<>> with_names(const std::vector<SqlToken>& tokens);

// In how many places the parts of a query stand once each WITH name is replaced by what it is:
// SQLite copies them so before anybody can stop it, and a name that stands twice in each of the
// next doubles it each time. Stops counting at `most` + 1.
[[nodiscard]] std::uint64_t unfolded_parts(const std::vector<SqlToken>& tokens, std::uint64_t most);

}  // namespace andon::store
