// SPDX-License-Identifier: Apache-2.0
#include "control/logs/log_pattern.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::control {
namespace {

namespace json = base::json;

constexpr int kMostDepth = 16;  // of parentheses

[[noreturn]] void refuse(const std::string& why) {
  throw base::Error(base::ErrorCode::invalid_argument, "Invalid filter pattern: " + why);
}

// `*` stands for any text. Each `*` is tried at the first place where what follows it fits.
bool matches_wildcard(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  while (true) {
    const std::size_t next = pattern.find('*');
    if (next == std::string_view::npos) return text.ends_with(pattern);
    const std::size_t at = text.find(pattern.substr(0, next));
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
}

enum class Comparison { equal, unequal, less, less_equal, greater, greater_equal };

bool holds(Comparison comparison, double left, double right) {
  switch (comparison) {
    case Comparison::equal:
      return left == right;
    case Comparison::unequal:
      return left != right;
    case Comparison::less:
      return left < right;
    case Comparison::less_equal:
      return left <= right;
    case Comparison::greater:
      return left > right;
    case Comparison::greater_equal:
      return left >= right;
  }
  return false;
}

struct Step {
  std::string member;  // or
  std::optional<std::size_t> index;
};

const json::value* select(const json::value& document, const std::vector<Step>& path) {
  const json::value* at = &document;
  for (const Step& step : path) {
    if (step.index) {
      const auto* list = at->if_array();
      if (list == nullptr || *step.index >= list->size()) return nullptr;
      at = &(*list)[*step.index];
    } else {
      const auto* object = at->if_object();
      at = object == nullptr ? nullptr : object->if_contains(step.member);
      if (at == nullptr) return nullptr;
    }
  }
  return at;
}

}  // namespace

struct LogPattern::Terms {
  std::vector<std::string> all;
  std::vector<std::string> any;
  std::vector<std::string> none;
};

struct LogPattern::Condition {
  enum class Kind {
    both,
    either,
    compare_text,
    compare_number,
    is_null,
    is_true,
    is_false,
    absent
  };
  Kind kind = Kind::both;
  std::vector<Condition> parts;
  std::vector<Step> path;
  Comparison comparison = Comparison::equal;
  std::string text;
  double number = 0;

  [[nodiscard]] bool matches(const json::value& document) const {
    const auto fits = [&](const Condition& part) { return part.matches(document); };
    if (kind == Kind::both) return std::ranges::all_of(parts, fits);
    if (kind == Kind::either) return std::ranges::any_of(parts, fits);
    const json::value* value = select(document, path);
    if (kind == Kind::absent) return value == nullptr;
    if (value == nullptr) return false;
    switch (kind) {
      case Kind::is_null:
        return value->is_null();
      case Kind::is_true:
        return value->is_bool() && value->get_bool();
      case Kind::is_false:
        return value->is_bool() && !value->get_bool();
      case Kind::compare_number:
        return value->is_number() && holds(comparison, value->to_number<double>(), number);
      default:
        break;
    }
    if (!value->is_string()) return false;
    return matches_wildcard(text, value->get_string()) == (comparison == Comparison::equal);
  }
};

// One pass over the text. What stands at `at_` is said in errors, counted from 1.
class LogPattern::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool is_condition() {
    skip_blanks();
    return peek() == '{';
  }

  Terms terms() {
    Terms terms;
    while (skip_blanks(), at_ < text_.size()) {
      std::vector<std::string>* list = &terms.all;
      if (peek() == '?') list = &terms.any;
      if (peek() == '-') list = &terms.none;
      if (list != &terms.all) ++at_;
      if (peek() == '[')
        fail("columns ('[') are not supported here; use terms or { $.member ... }");
      if (peek() == '%') fail("regular expressions ('%') are not supported here");
      list->push_back(peek() == '"' ? quoted() : word(" \t\""));
    }
    return terms;
  }

  Condition condition() {
    ++at_;  // '{'
    Condition whole = either(0);
    take('}');
    skip_blanks();
    if (at_ < text_.size()) fail("there is more behind the '}'");
    return whole;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    refuse(why + " (at character " + std::to_string(at_ + 1) + ")");
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  bool skip(std::string_view token) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void take(char c) {
    skip_blanks();
    if (peek() != c) fail(std::string("'") + c + "' is missing");
    ++at_;
  }

  std::string quoted() {
    std::string text;
    for (++at_; peek() != '"'; ++at_) {
      if (at_ >= text_.size()) fail("the closing '\"' is missing");
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      text += peek();
    }
    ++at_;
    if (text.empty()) fail("a term is empty");
    return text;
  }
  std::string word(std::string_view ends) {
    const std::size_t from = at_;
    while (at_ < text_.size() && ends.find(peek()) == std::string_view::npos) ++at_;
    if (at_ == from) fail("a term is missing");
    return std::string(text_.substr(from, at_ - from));
  }

  Condition either(int depth) { return list(depth, "||", Condition::Kind::either); }
  Condition list(int depth, std::string_view by, Condition::Kind kind) {
    Condition all;
    all.kind = kind;
    do {
      all.parts.push_back(kind == Condition::Kind::either ? list(depth, "&&", Condition::Kind::both)
                                                          : single(depth));
    } while (skip(by));
    return all.parts.size() == 1 ? std::move(all.parts.front()) : std::move(all);
  }
  Condition single(int depth) {
    skip_blanks();
    if (peek() == '(') {
      if (depth == kMostDepth) fail("there are too many parentheses within each other");
      ++at_;
      Condition inner = either(depth + 1);
      take(')');
      return inner;
    }
    return comparison();
  }

  Condition comparison() {
    Condition made;
    made.path = path();
    skip_blanks();
    if (base::is_letter(peek())) {
      made.kind = keywords();
      return made;
    }
    constexpr std::pair<std::string_view, Comparison> kSigns[] = {
        {"!=", Comparison::unequal},       {"<=", Comparison::less_equal},
        {">=", Comparison::greater_equal}, {"=", Comparison::equal},
        {"<", Comparison::less},           {">", Comparison::greater}};
    const auto* const sign =
        std::ranges::find_if(kSigns, [this](const auto& one) { return skip(one.first); });
    if (sign == std::end(kSigns)) fail("a comparison is missing: = != < <= > >= or IS, NOT");
    made.comparison = sign->second;
    skip_blanks();
    const bool is_quoted = peek() == '"';
    made.text = is_quoted ? quoted() : word(" \t\"(){}&|=<>!");
    const auto number = is_quoted ? std::nullopt : base::parse_number(made.text);
    made.kind = number ? Condition::Kind::compare_number : Condition::Kind::compare_text;
    made.number = number.value_or(0);
    const bool is_order =
        made.comparison != Comparison::equal && made.comparison != Comparison::unequal;
    if (is_order && !number) fail("'" + std::string(sign->first) + "' takes a number");
    return made;
  }

  Condition::Kind keywords() {
    const std::string first = base::to_lower(word(" \t(){}&|=<>!\""));
    skip_blanks();
    const std::string second = base::to_lower(word(" \t(){}&|=<>!\""));
    if (first == "not" && second == "exists") return Condition::Kind::absent;
    if (first == "is" && second == "null") return Condition::Kind::is_null;
    if (first == "is" && second == "true") return Condition::Kind::is_true;
    if (first == "is" && second == "false") return Condition::Kind::is_false;
    fail("only IS NULL, IS TRUE, IS FALSE and NOT EXISTS are known");
  }

  std::vector<Step> path() {
    skip_blanks();
    if (peek() != '$') fail("a member is missing: it begins with '$.'");
    ++at_;
    std::vector<Step> steps;
    while (peek() == '.' || peek() == '[') {
      if (peek() == '.') {
        ++at_;
        steps.push_back({word(" \t.[](){}&|=<>!\"'"), std::nullopt});
        continue;
      }
      ++at_;
      if (peek() == '\'' || peek() == '"') {
        const std::string end(1, peek());
        ++at_;
        steps.push_back({word(end), std::nullopt});
        ++at_;
      } else {
        const auto index = base::parse_integer<std::size_t>(word("]"));
        if (!index) fail("an index must be a number");
        steps.push_back({{}, index});
      }
      take(']');
    }
    if (steps.empty()) fail("'$' alone names no member");
    return steps;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

LogPattern::LogPattern(std::string_view text) {
  if (text.size() > kMostBytes) {
    refuse("it has " + std::to_string(text.size()) + " bytes, and may have " +
           std::to_string(kMostBytes));
  }
  Reader reader(text);
  if (reader.is_condition()) {
    condition_ = std::make_unique<Condition>(reader.condition());
  } else {
    terms_ = std::make_unique<Terms>(reader.terms());
  }
}

LogPattern::LogPattern(LogPattern&&) noexcept = default;
LogPattern& LogPattern::operator=(LogPattern&&) noexcept = default;
LogPattern::~LogPattern() = default;

bool LogPattern::matches(std::string_view message) const {
  if (condition_) {
    if (!message.starts_with('{')) return false;
    try {
      return condition_->matches(base::parse_json(message, "a log message", {.max_depth = 64}));
    } catch (const base::Error&) {
      return false;  // no JSON
    }
  }
  const auto is_there = [message](const std::string& term) {
    return message.find(term) != std::string_view::npos;
  };
  if (std::ranges::any_of(terms_->none, is_there)) return false;
  if (!terms_->all.empty()) return std::ranges::all_of(terms_->all, is_there);
  return terms_->any.empty() || std::ranges::any_of(terms_->any, is_there);
}

}  // namespace andon::control
