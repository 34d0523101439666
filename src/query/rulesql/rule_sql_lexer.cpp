// SPDX-License-Identifier: Apache-2.0
#include "query/rulesql/rule_sql_lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kMostTokens = 2000;
constexpr std::array<std::string_view, 4> kLongSigns{"<>", "!=", "<=", ">="};
constexpr std::string_view kSigns = "()[]{},.:*/+-%<>=";

bool begins_name(char c) {
  return base::is_letter_or_digit(c) || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

[[noreturn]] void fail(std::size_t at, const std::string& why) {
  throw base::Error(base::ErrorCode::invalid_argument,
                    "SQL, at character " + std::to_string(at + 1) + ": " + why);
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<RuleToken> read() {
    std::vector<RuleToken> tokens;
    for (;;) {
      skip_blanks();
      tokens.push_back(next());
      if (tokens.back().kind == RuleToken::Kind::end) return tokens;
      if (tokens.size() > kMostTokens) fail(at_, "it has too many words");
    }
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size()) {
      if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else if (text_.substr(at_).starts_with("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return;
      }
    }
  }

  RuleToken next() {
    if (at_ == text_.size()) return {RuleToken::Kind::end, {}, {}, at_};
    const char c = text_[at_];
    if (c == '\'') return quoted(RuleToken::Kind::text);
    if (c == '"') return quoted(RuleToken::Kind::quoted_name);
    if (base::is_digit(c)) return number();
    if (begins_name(c)) return name();
    for (const std::string_view sign : kLongSigns) {
      if (text_.substr(at_).starts_with(sign)) return sign_of(sign);
    }
    if (kSigns.find(c) != std::string_view::npos) return sign_of(text_.substr(at_, 1));
    fail(at_, "'" + std::string(1, c) + "' does not belong here");
  }

  RuleToken sign_of(std::string_view sign) {
    RuleToken token{RuleToken::Kind::sign, std::string(sign), {}, at_};
    at_ += sign.size();
    return token;
  }

  RuleToken name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && begins_name(text_[at_])) ++at_;
    return {RuleToken::Kind::name, std::string(text_.substr(begin, at_ - begin)), {}, begin};
  }

  // The quote itself is written twice.
  RuleToken quoted(RuleToken::Kind kind) {
    RuleToken token{kind, {}, {}, at_};
    const char quote = text_[at_++];
    for (;;) {
      const std::size_t end = text_.find(quote, at_);
      if (end == std::string_view::npos) fail(token.at, "the quotation has no end");
      token.text += text_.substr(at_, end - at_);
      at_ = end + 1;
      if (at_ == text_.size() || text_[at_] != quote) return token;
      token.text += quote;
      ++at_;
    }
  }

  RuleToken number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      while (at_ < text_.size() && base::is_digit(text_[at_])) ++at_;
    };
    digits();
    bool is_whole = true;
    if (at_ + 1 < text_.size() && text_[at_] == '.' && base::is_digit(text_[at_ + 1])) {
      is_whole = false;
      ++at_;
      digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      is_whole = false;
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      digits();
    }
    const std::string_view text = text_.substr(begin, at_ - begin);
    RuleToken token{RuleToken::Kind::number, std::string(text), {}, begin};
    if (const auto whole = is_whole ? base::parse_int64(text) : std::nullopt) {
      token.value = *whole;
    } else if (const auto real = base::parse_number(text)) {
      token.value = *real;
    } else {
      fail(begin, "'" + token.text + "' is no number");
    }
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<RuleToken> read_rule_tokens(std::string_view text) {
  return Lexer(text).read();
}

}  // namespace andon::query
