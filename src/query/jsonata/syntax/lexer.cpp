// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/syntax/lexer.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "query/document/utf8.hpp"
#include "query/jsonata/syntax/error.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::string_view kOperatorCharacters = ".[]{}(),@#;:?+-*/%|=<>^&!~";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

Token Lexer::make(TokenKind kind, std::string text) const {
  Token token;
  token.kind = kind;
  token.text = std::move(text);
  token.position = at_;
  return token;
}

void Lexer::skip_space_and_comments() {
  while (at_ < source_.size()) {
    if (is_space(peek())) {
      ++at_;
    } else if (peek() == '/' && peek(1) == '*') {
      const std::size_t start = at_;
      const std::size_t end = source_.find("*/", at_ + 2);
      if (end == std::string_view::npos) throw Error("S0106", "Comment has no closing tag", start);
      at_ = end + 2;
    } else {
      return;
    }
  }
}

Token Lexer::next(Slash slash) {
  skip_space_and_comments();
  if (at_ >= source_.size()) return make(TokenKind::end, "(end)");
  const char c = peek();
  if (slash == Slash::begins_regex && c == '/') return regex();
  constexpr std::array<std::string_view, 9> kDouble = {
      "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??"};
  for (const std::string_view op : kDouble) {
    if (source_.substr(at_, 2) == op) {
      at_ += 2;
      return make(TokenKind::op, std::string(op));
    }
  }
  if (kOperatorCharacters.find(c) != std::string_view::npos) {
    ++at_;
    return make(TokenKind::op, std::string(1, c));
  }
  if (c == '"' || c == '\'') return string();
  if (is_digit(c)) {
    if (auto token = number()) return *std::move(token);
  }
  if (c == '`') {
    const std::size_t end = source_.find('`', at_ + 1);
    if (end == std::string_view::npos) {
      at_ = source_.size();
      throw Error("S0105", "Quoted property name must be terminated with a backquote (`)", at_);
    }
    const std::string name(source_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return make(TokenKind::name, name);
  }
  return name();
}

Token Lexer::regex() {
  const std::size_t start = at_++;
  std::size_t depth = 0;
  std::string pattern;
  for (;; ++at_) {
    if (at_ >= source_.size()) throw Error("S0302", "No terminating / in regular expression", at_);
    const char c = peek();
    if (c == '\\' && at_ + 1 < source_.size()) {
      pattern += c;
      pattern += source_[++at_];
      continue;
    }
    if (c == '/' && depth == 0) break;
    if (c == '(' || c == '[' || c == '{') ++depth;
    if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
    pattern += c;
  }
  if (pattern.empty()) throw Error("S0301", "Empty regular expressions are not allowed", at_);
  ++at_;
  Regex::Options options;
  for (; peek() == 'i' || peek() == 'm'; ++at_) {
    (peek() == 'i' ? options.ignore_case : options.multi_line) = true;
  }
  Token token = make(TokenKind::regex, pattern);
  try {
    token.regex = std::make_shared<const Regex>(pattern, options);
  } catch (const base::Error& error) {
    throw Error("S0303", error.message(), start);
  }
  return token;
}

std::string Lexer::escape() {
  const char c = peek();
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return std::string(1, c);
    case 'b':
      return "\b";
    case 'f':
      return "\f";
    case 'n':
      return "\n";
    case 'r':
      return "\r";
    case 't':
      return "\t";
    case 'u':
      break;
    default:
      throw Error("S0103", "Unsupported escape sequence: \\" + std::string(1, c), at_);
  }
  const auto unit_at = [this](std::size_t offset) -> std::optional<char32_t> {
    if (offset + 4 > source_.size()) return std::nullopt;
    const auto value = base::parse_uint64(source_.substr(offset, 4), 16);
    return value ? std::optional(static_cast<char32_t>(*value)) : std::nullopt;
  };
  const auto unit = unit_at(at_ + 1);
  if (!unit) throw Error("S0104", "The escape sequence \\u must be followed by 4 hex digits", at_);
  at_ += 4;
  char32_t value = *unit;
  if (value >= 0xD800 && value < 0xDC00 && peek(1) == '\\' && peek(2) == 'u') {
    const auto low = unit_at(at_ + 3);
    if (low && *low >= 0xDC00 && *low < 0xE000) {
      value = 0x10000 + ((value - 0xD800) << 10U) + (*low - 0xDC00);
      at_ += 6;
    }
  }
  if (value >= 0xD800 && value < 0xE000) value = 0xFFFD;  // half a pair is no character of UTF-8
  std::string text;
  append_utf8(text, value);
  return text;
}

Token Lexer::string() {
  const char quote = peek();
  ++at_;
  std::string text;
  while (at_ < source_.size()) {
    const char c = peek();
    if (c == '\\') {
      ++at_;
      text += escape();
    } else if (c == quote) {
      ++at_;
      return make(TokenKind::string, std::move(text));
    } else {
      text += c;
    }
    ++at_;
  }
  throw Error("S0101", "String literal must be terminated by a matching quote", at_);
}

std::optional<Token> Lexer::number() {
  std::size_t end = at_;
  const auto digit_at = [this](std::size_t i) {
    return i < source_.size() && is_digit(source_[i]);
  };
  if (source_[end] == '0') {
    ++end;
  } else {
    while (digit_at(end)) ++end;
  }
  if (end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
    ++end;
    while (digit_at(end)) ++end;
  }
  if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
    std::size_t power = end + 1;
    if (power < source_.size() && (source_[power] == '+' || source_[power] == '-')) ++power;
    if (digit_at(power)) {
      while (digit_at(power)) ++power;
      end = power;
    }
  }
  const std::string text(source_.substr(at_, end - at_));
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range && text.find("e-") == std::string::npos) {
    throw Error("S0102", "Number out of range: " + text, at_);
  }
  at_ = end;
  Token token = make(TokenKind::number, text);
  token.number = value;
  return token;
}

Token Lexer::name() {
  const std::size_t start = at_;
  while (at_ < source_.size() && !is_space(peek()) &&
         kOperatorCharacters.find(peek()) == std::string_view::npos) {
    ++at_;
  }
  std::string text(source_.substr(start, at_ - start));
  if (text.starts_with('$')) return make(TokenKind::variable, text.substr(1));
  if (text == "or" || text == "and" || text == "in") return make(TokenKind::op, std::move(text));
  if (text == "true" || text == "false" || text == "null") {
    return make(TokenKind::value, std::move(text));
  }
  return make(TokenKind::name, std::move(text));
}

}  // namespace andon::query::jsonata
