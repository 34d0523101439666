// SPDX-License-Identifier: Apache-2.0
#include "query/search/search_query.hpp"

#include <algorithm>
#include <compare>

#include "base/error/error.hpp"
#include "base/text/number.hpp"

namespace andon::query {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// As numbers where both are, else as texts.
std::partial_ordering compare(const std::string& left, const std::string& right) {
  const auto a = base::parse_number(left);
  const auto b = base::parse_number(right);
  if (a && b) return *a <=> *b;
  return left <=> right;
}

}  // namespace

class SearchParser {
 public:
  explicit SearchParser(std::string_view text) : text_(text) {}

  SearchQuery parse() {
    if (text_.size() > kMostQueryBytes) fail("the query has more than 1000 bytes");
    query_.root_ = read_any(1);
    skip_blanks();
    if (at_ < text_.size()) fail("a ')' has no '('");
    return std::move(query_);
  }

 private:
  using Kind = SearchQuery::Kind;
  using Node = SearchQuery::Node;
  using Pattern = SearchQuery::Pattern;

  [[noreturn]] void fail(std::string_view why) const {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "queryString, column " + std::to_string(at_ + 1) + ": " + std::string(why));
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  [[nodiscard]] bool is_at(char c) const { return at_ < text_.size() && text_[at_] == c; }

  // A word of the language, not the beginning of a longer one.
  [[nodiscard]] bool is_at_word(std::string_view word) const {
    if (!text_.substr(at_).starts_with(word)) return false;
    const std::size_t end = at_ + word.size();
    return end == text_.size() || is_blank(text_[end]) || text_[end] == '(' || text_[end] == ')';
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!is_at_word(word)) return false;
    at_ += word.size();
    return true;
  }

  std::size_t add(Node node) {
    const bool is_term = node.kind == Kind::pattern || node.kind == Kind::range;
    if (is_term && ++terms_ > kMostQueryTerms) fail("the query has more than 50 terms");
    if (is_term && std::ranges::find(query_.fields_, node.field) == query_.fields_.end()) {
      query_.fields_.push_back(node.field);
    }
    query_.nodes_.push_back(std::move(node));
    return query_.nodes_.size() - 1;
  }
  std::size_t add(Kind kind, std::vector<std::size_t> children) {
    if (children.size() == 1 && kind != Kind::none) return children.front();
    Node node;
    node.kind = kind;
    node.children = std::move(children);
    return add(std::move(node));
  }

  std::size_t read_any(std::size_t depth) {
    if (depth > kMostQueryDepth) fail("the query is nested too deeply");
    std::vector<std::size_t> children{read_all(depth)};
    while (take_word("OR") || take_word("||")) children.push_back(read_all(depth));
    return add(Kind::any, std::move(children));
  }

  std::size_t read_all(std::size_t depth) {
    std::vector<std::size_t> children{read_one(depth)};
    while (true) {
      const bool has_word = take_word("AND") || take_word("&&");
      skip_blanks();
      const bool is_over =
          at_ == text_.size() || is_at(')') || is_at_word("OR") || is_at_word("||");
      if (is_over) {
        if (has_word) fail("a term is missing after AND");
        return add(Kind::all, std::move(children));
      }
      children.push_back(read_one(depth));
    }
  }

  std::size_t read_one(std::size_t depth) {
    if (depth > kMostQueryDepth) fail("the query is nested too deeply");
    skip_blanks();
    if (take_word("NOT") || is_at('-') || is_at('!')) {
      if (is_at('-') || is_at('!')) ++at_;
      return add(Kind::none, {read_one(depth + 1)});
    }
    if (is_at('+')) ++at_;
    if (is_at('(')) {
      ++at_;
      const std::size_t inner = read_any(depth + 1);
      close();
      return inner;
    }
    if (take_word("*")) return add(Node{});
    return field_.empty() ? read_term(depth) : read_value(field_);
  }

  void close() {
    skip_blanks();
    if (!is_at(')')) fail("a ')' is missing");
    ++at_;
  }

  std::size_t read_term(std::size_t depth) {
    std::string field;
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == ':' || c == '<' || c == '>' || c == '(' || c == ')' || is_blank(c)) break;
      if (c == '"') fail("a field stands before its value: field:\"a value\"");
      if (c == '\\') c = take_escaped();
      field += c;
      ++at_;
    }
    if (at_ == text_.size() && field.empty()) fail("a term is missing");
    if (field.empty()) fail("a term begins with a field");
    if (is_at('<') || is_at('>')) return read_comparison(std::move(field));
    if (!is_at(':')) fail("\"" + field + "\" names no field: write field:value");
    ++at_;
    skip_blanks();
    if (is_at_word("AND") || is_at_word("OR")) fail("a value is missing");
    if (!is_at('(')) return read_value(field);
    ++at_;
    field_ = std::move(field);
    const std::size_t inner = read_any(depth + 1);
    field_.clear();
    close();
    return inner;
  }

  // The character after a backslash; stands on it afterwards.
  char take_escaped() {
    ++at_;
    if (at_ == text_.size()) fail("a backslash is the last character");
    return text_[at_];
  }

  std::size_t read_comparison(std::string field) {
    Node node;
    node.kind = Kind::range;
    node.field = std::move(field);
    const bool is_less = text_[at_++] == '<';
    SearchQuery::Bound bound;
    bound.is_inside = is_at('=');
    if (bound.is_inside) ++at_;
    bound.text = read_pattern().text;
    (is_less ? node.most : node.least) = std::move(bound);
    return add(std::move(node));
  }

  std::size_t read_value(const std::string& field) {
    Node node;
    node.field = field;
    if (is_at('[') || is_at('{')) {
      node.kind = Kind::range;
      const bool is_inside = text_[at_++] == '[';
      node.least = read_bound();
      if (node.least) node.least->is_inside = is_inside;
      if (!take_word("TO")) fail("a range is [a TO b]");
      node.most = read_bound();
      skip_blanks();
      if (!is_at(']') && !is_at('}')) fail("a range ends with ] or }");
      if (node.most) node.most->is_inside = is_at(']');
      ++at_;
      return add(std::move(node));
    }
    node.kind = Kind::pattern;
    node.pattern = read_pattern();
    return add(std::move(node));
  }

  // Nothing for "*": no bound.
  std::optional<SearchQuery::Bound> read_bound() {
    skip_blanks();
    const Pattern read = read_pattern("]}");
    if (read.kinds == "*") return std::nullopt;
    return SearchQuery::Bound{read.text, true};
  }

  Pattern read_pattern(std::string_view ends = "") {
    Pattern pattern;
    if (is_at('"')) {
      for (++at_; !is_at('"'); ++at_) {
        if (at_ == text_.size()) fail("a quote has no end");
        pattern.text += text_[at_] == '\\' ? take_escaped() : text_[at_];
        pattern.kinds += 'c';
      }
      ++at_;
      return pattern;
    }
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (is_blank(c) || c == '(' || c == ')' || c == '"' || ends.find(c) != ends.npos) break;
      const bool is_wildcard = c == '*' || c == '?';
      // Two stars are one: a pattern is never tried more ways than it has.
      if (c == '*' && pattern.kinds.ends_with('*')) continue;
      pattern.kinds += is_wildcard ? c : 'c';
      pattern.text += c == '\\' ? take_escaped() : c;
    }
    if (pattern.text.empty()) fail("a value is missing");
    return pattern;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t terms_ = 0;
  std::string field_;  // within field:( ... )
  SearchQuery query_;
};

SearchQuery SearchQuery::parse(std::string_view text) {
  return SearchParser(text).parse();
}

bool SearchQuery::matches(const ValuesOf& values_of) const {
  return matches(root_, values_of);
}

bool SearchQuery::matches(std::size_t place, const ValuesOf& values_of) const {
  const Node& node = nodes_[place];
  const auto holds = [&](std::size_t child) { return matches(child, values_of); };
  switch (node.kind) {
    case Kind::everything:
      return true;
    case Kind::all:
      return std::ranges::all_of(node.children, holds);
    case Kind::any:
      return std::ranges::any_of(node.children, holds);
    case Kind::none:
      return std::ranges::none_of(node.children, holds);
    case Kind::pattern:
      return std::ranges::any_of(values_of(node.field), [&](const std::string& value) {
        return fits(node.pattern, value);
      });
    case Kind::range:
      return std::ranges::any_of(values_of(node.field),
                                 [&](const std::string& value) { return is_within(node, value); });
  }
  throw base::Error(base::ErrorCode::internal, "a term has no kind");
}

// The last star is the only one that is gone back to, so it takes at most |pattern| times |text|.
bool SearchQuery::fits(const Pattern& pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;
  std::size_t after_star = 0;
  while (t < text.size()) {
    const bool is_star = p < pattern.kinds.size() && pattern.kinds[p] == '*';
    if (is_star) {
      star = p++;
      after_star = t;
    } else if (p < pattern.kinds.size() &&
               (pattern.kinds[p] == '?' || pattern.text[p] == text[t])) {
      ++p;
      ++t;
    } else if (star) {
      p = *star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.kinds.begin() + static_cast<std::ptrdiff_t>(p), pattern.kinds.end(),
                     [](char kind) { return kind == '*'; });
}

bool SearchQuery::is_within(const Node& node, const std::string& text) {
  if (node.least) {
    const auto order = compare(text, node.least->text);
    if (order < 0 || (order == 0 && !node.least->is_inside)) return false;
  }
  if (node.most) {
    const auto order = compare(text, node.most->text);
    if (order > 0 || (order == 0 && !node.most->is_inside)) return false;
  }
  return true;
}

}  // namespace andon::query
