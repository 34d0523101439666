// SPDX-License-Identifier: Apache-2.0
#include "policy/language/pattern.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::policy {
namespace {

using base::Error;
using base::ErrorCode;

// Wildcards within a compiled pattern; no text of a policy may have these bytes.
constexpr char kAny = '\x01';
constexpr char kOne = '\x02';

constexpr std::size_t kPartsOfArn = 6;

bool is_same(char left, char right, PatternSyntax::Case letter_case) {
  if (letter_case == PatternSyntax::Case::matters) return left == right;
  return base::to_lower(left) == base::to_lower(right);
}

// In time of the product of both lengths at most: only the last * is ever gone back to.
bool is_match(std::string_view pattern, std::string_view text, PatternSyntax::Case letter_case) {
  if (letter_case == PatternSyntax::Case::matters) {
    // Most patterns are told apart by how they begin.
    const std::size_t fixed = std::min(pattern.find_first_of("\x01\x02"), pattern.size());
    if (!text.starts_with(pattern.substr(0, fixed))) return false;
    pattern.remove_prefix(fixed);
    text.remove_prefix(fixed);
    if (pattern.empty()) return text.empty();
    if (pattern.size() == 1 && pattern.front() == kAny) return true;
  }
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == kAny) {
      star = p++;
      resume = t;
    } else if (p < pattern.size() &&
               (pattern[p] == kOne || is_same(pattern[p], text[t], letter_case))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == kAny; });
}

// Of six parts; the last has the rest, colons too.
std::vector<std::string_view> parts_of_arn(std::string_view text) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < kPartsOfArn) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) break;
    parts.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  parts.push_back(text);
  return parts;
}

bool is_match_of_arn(std::string_view pattern, std::string_view text,
                     PatternSyntax::Case letter_case) {
  if (pattern == std::string_view(&kAny, 1)) return true;
  const auto wanted = parts_of_arn(pattern);
  const auto given = parts_of_arn(text);
  if (wanted.size() != given.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!is_match(wanted[i], given[i], letter_case)) return false;
  }
  return true;
}

}  // namespace

Pattern::Pattern(std::string_view text, const PatternSyntax& syntax)
    : text_(text), letter_case_(syntax.letter_case) {
  if (std::ranges::any_of(text, base::is_control)) {
    throw Error(ErrorCode::invalid_argument, "has a control character");
  }
  std::string literal;
  const auto end_literal = [&] {
    if (literal.empty()) return;
    pieces_.push_back({.text = std::move(literal), .fallback = {}});
    literal.clear();
  };
  while (!text.empty()) {
    const char c = text.front();
    const bool is_variable =
        syntax.variables == PatternSyntax::Variables::replace && text.starts_with("${");
    if (is_variable) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        throw Error(ErrorCode::invalid_argument, "has a ${ without its }");
      }
      const std::string_view inside = text.substr(2, end - 2);
      text.remove_prefix(end + 1);
      if (inside == "*" || inside == "?" || inside == "$") {
        literal += inside;
        continue;
      }
      end_literal();
      add_variable(inside);
      continue;
    }
    text.remove_prefix(1);
    const bool is_wildcard =
        (c == '*' || c == '?') && syntax.wildcards == PatternSyntax::Wildcards::match;
    has_wildcards_ = has_wildcards_ || is_wildcard;
    literal += is_wildcard ? (c == '*' ? kAny : kOne) : c;
  }
  end_literal();
  if (!has_variables_ && !pieces_.empty()) fixed_ = pieces_.front().text;
  if (!pieces_.empty() && !pieces_.front().is_variable) {
    const std::string& first = pieces_.front().text;
    beginning_ = first.substr(0, first.find_first_of("\x01\x02"));
  }
}

void Pattern::add_variable(std::string_view inside) {
  Piece piece{.is_variable = true};
  std::string_view key = inside;
  const std::size_t comma = inside.find(',');
  if (comma != std::string_view::npos) {
    key = inside.substr(0, comma);
    const std::string_view fallback = base::trim(inside.substr(comma + 1));
    if (fallback.size() < 2 || fallback.front() != '\'' || fallback.back() != '\'') {
      throw Error(ErrorCode::invalid_argument,
                  "has a variable whose default value is not in single quotes");
    }
    piece.has_fallback = true;
    piece.fallback = fallback.substr(1, fallback.size() - 2);
  }
  piece.text = base::to_lower(base::trim(key));
  if (piece.text.empty()) throw Error(ErrorCode::invalid_argument, "has a variable without name");
  has_variables_ = true;
  pieces_.push_back(std::move(piece));
}

std::string_view Pattern::longest_literal() const {
  std::string_view longest;
  if (has_variables_ || letter_case_ == PatternSyntax::Case::ignored) return longest;
  std::string_view rest = fixed_;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of("\x01\x02"), rest.size());
    if (end > longest.size()) longest = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return longest;
}

Fit Pattern::expand(const Context& context, std::string& out) const {
  out.clear();
  for (const Piece& piece : pieces_) {
    if (!piece.is_variable) {
      out += piece.text;
      continue;
    }
    const auto* values = context.find(piece.text);
    // A key of several values is no variable.
    if (values != nullptr && values->size() == 1) {
      if (std::ranges::any_of(values->front(), base::is_control)) return Fit::unresolved;
      out += values->front();
    } else if (piece.has_fallback) {
      out += piece.fallback;
    } else {
      return Fit::unresolved;
    }
  }
  return Fit::yes;
}

Fit Pattern::fit(std::string_view text, const Context& context) const {
  const auto answer = [&](std::string_view pattern) {
    return is_match(pattern, text, letter_case_) ? Fit::yes : Fit::no;
  };
  if (!has_variables_) return answer(fixed_);
  std::string expanded;
  return expand(context, expanded) == Fit::unresolved ? Fit::unresolved : answer(expanded);
}

Fit Pattern::fit_arn(std::string_view text, const Context& context) const {
  const auto answer = [&](std::string_view pattern) {
    return is_match_of_arn(pattern, text, letter_case_) ? Fit::yes : Fit::no;
  };
  if (!has_variables_) return answer(fixed_);
  std::string expanded;
  return expand(context, expanded) == Fit::unresolved ? Fit::unresolved : answer(expanded);
}

}  // namespace andon::policy
