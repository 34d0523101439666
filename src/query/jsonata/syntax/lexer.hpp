// SPDX-License-Identifier: Apache-2.0
// The tokens of a JSONata expression. Internal to asl; one pass over a text that must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "query/regex/regex.hpp"

namespace andon::query::jsonata {

enum class TokenKind : std::uint8_t { end, name, variable, op, string, number, value, regex };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  double number = 0;
  std::shared_ptr<const Regex> regex;
  std::size_t position = 0;  // in bytes, just behind the token
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  // After a value a '/' divides; elsewhere it begins a regular expression. Throws Error.
  enum class Slash { divides, begins_regex };
  [[nodiscard]] Token next(Slash slash);

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  void skip_space_and_comments();
  [[nodiscard]] Token make(TokenKind kind, std::string text) const;
  Token regex();
  Token string();
  std::string escape();
  std::optional<Token> number();
  Token name();

  std::string_view source_;
  std::size_t at_ = 0;
};

}  // namespace andon::query::jsonata
