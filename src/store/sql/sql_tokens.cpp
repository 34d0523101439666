// SPDX-License-Identifier: Apache-2.0
#include "store/sql/sql_tokens.hpp"

#include <algorithm>
#include <map>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;
using Kind = SqlToken::Kind;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, problem);
}

bool is_word_character(char c) {
  return base::is_letter_or_digit(c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

bool is_blank(char c) {
  return std::string_view(" \t\r\n\f").find(c) != std::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  std::vector<SqlToken> read() {
    std::vector<SqlToken> tokens;
    while (skip_blanks()) {
      if (tokens.size() >= kMostSqlTokens) refuse("the statement has too many words");
      tokens.push_back(next());
    }
    return tokens;
  }

 private:
  // False at the end.
  bool skip_blanks() {
    while (at_ < sql_.size()) {
      if (sql_[at_] == '\0') refuse("the statement holds a NUL character");
      if (is_blank(sql_[at_])) {
        ++at_;
      } else if (sql_.substr(at_).starts_with("--")) {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (sql_.substr(at_).starts_with("/*")) {
        const std::size_t end = sql_.find("*/", at_ + 2);
        if (end == std::string_view::npos) refuse("a comment (/*) does not end");
        at_ = end + 2;
      } else {
        return true;
      }
    }
    return false;
  }

  SqlToken next() {
    const char c = sql_[at_];
    if (c == '\'') return quoted(Kind::text, c);
    if (c == '"' || c == '`') return quoted(Kind::name, c);
    if (c == '[') return quoted(Kind::name, ']');
    const std::size_t begin = at_++;
    if (!is_word_character(c)) return {Kind::sign, sql_.substr(begin, 1), {}};
    while (at_ < sql_.size() && is_word_character(sql_[at_])) ++at_;
    const std::string_view raw = sql_.substr(begin, at_ - begin);
    if (base::is_digit(c)) return {Kind::number, raw, {}};
    return {Kind::word, raw, base::to_lower(raw)};
  }

  SqlToken quoted(Kind kind, char quote) {
    const std::size_t begin = at_++;
    std::string value;
    while (true) {
      if (at_ >= sql_.size()) {
        refuse("a quote (" + std::string(sql_.substr(begin, 1)) + ") does not end");
      }
      const char c = sql_[at_++];
      if (c == '\0') refuse("the statement holds a NUL character");
      if (c != quote) {
        value += c;
        continue;
      }
      // Twice is the quote itself, but for brackets.
      if (quote == ']' || at_ >= sql_.size() || sql_[at_] != quote) break;
      value += c;
      ++at_;
    }
    if (kind == Kind::text) value.clear();
    return {kind, sql_.substr(begin, at_ - begin), std::move(value)};
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

struct Definition {
  std::string name;
  std::size_t begin;
  std::size_t end;  // where its body is closed
};

bool begins_query(const SqlToken& token) {
  return token.is_word("select") || token.is_word("with") || token.is_word("values") ||
         token.is_sign('(');
}

// For each opening parenthesis where it is closed; the end where it is not.
std::vector<std::size_t> closings(const std::vector<SqlToken>& tokens) {
  std::vector<std::size_t> closed(tokens.size(), tokens.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].is_sign('(')) open.push_back(i);
    if (!tokens[i].is_sign(')') || open.empty()) continue;
    closed[open.back()] = i;
    open.pop_back();
  }
  return closed;
}

// "name [(columns)] AS [[NOT] MATERIALIZED] (SELECT", wherever it stands.
std::vector<Definition> definitions(const std::vector<SqlToken>& tokens) {
  const auto closed = closings(tokens);
  std::vector<Definition> found;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].is_name()) continue;
    std::size_t at = i + 1;
    if (at < tokens.size() && tokens[at].is_sign('(')) at = closed[at] + 1;
    if (at >= tokens.size() || !tokens[at].is_word("as")) continue;
    ++at;
    while (at < tokens.size() &&
           (tokens[at].is_word("not") || tokens[at].is_word("materialized"))) {
      ++at;
    }
    if (at + 1 >= tokens.size() || !tokens[at].is_sign('(') || !begins_query(tokens[at + 1])) {
      continue;
    }
    found.push_back({base::to_lower(tokens[i].value), at, closed[at]});
  }
  return found;
}

// Adds up, definition by definition, each once; they may stand in any order.
class Unfolding {
 public:
  Unfolding(const std::vector<SqlToken>& tokens, const std::vector<Definition>& named,
            std::uint64_t most)
      : tokens_(tokens), most_(most), ids_(tokens.size(), kNone) {
    std::map<std::string, std::size_t, std::less<>> ids;
    for (const Definition& one : named) {
      const auto [found, is_new] = ids.emplace(one.name, bodies_.size());
      if (is_new) bodies_.emplace_back();
      bodies_[found->second].push_back(one);
    }
    weights_.assign(bodies_.size(), 0);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (!tokens[i].is_name()) continue;
      const auto found = ids.find(base::to_lower(tokens[i].value));
      if (found != ids.end()) ids_[i] = found->second;
    }
  }

  std::uint64_t weigh(std::size_t begin, std::size_t end) {
    std::uint64_t parts = 1;
    for (std::size_t i = begin; i < end && parts <= most_; ++i) {
      if (tokens_[i].is_word("select")) ++parts;
      if (ids_[i] != kNone) parts += weight_of(ids_[i]);
    }
    return std::min(parts, most_ + 1);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::uint64_t weight_of(std::size_t id) {
    if (weights_[id] != 0) return weights_[id];
    weights_[id] = 1;  // for itself, within it
    std::uint64_t most_parts = 1;
    for (const Definition& one : bodies_[id]) {
      most_parts = std::max(most_parts, weigh(one.begin, one.end));
    }
    return weights_[id] = most_parts;
  }

  const std::vector<SqlToken>& tokens_;
  const std::uint64_t most_;
  std::vector<std::size_t> ids_;  // of the definition that a token names
  std::vector<std::vector<Definition>> bodies_;
  std::vector<std::uint64_t> weights_;
};

}  // namespace

std::vector<SqlToken> sql_tokens(std::string_view sql) {
  return Lexer(sql).read();
}

std::set<std::string, std::less<>> with_names(const std::vector<SqlToken>& tokens) {
  std::set<std::string, std::less<>> names;
  for (Definition& one : definitions(tokens)) names.insert(std::move(one.name));
  return names;
}

std::uint64_t unfolded_parts(const std::vector<SqlToken>& tokens, std::uint64_t most) {
  constexpr std::size_t kMostDefinitions = 100;
  const auto named = definitions(tokens);
  if (named.size() > kMostDefinitions) return most + 1;
  return Unfolding(tokens, named, most).weigh(0, tokens.size());
}

}  // namespace andon::store
