// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "query/document/utf8.hpp"
#include "query/jsonpath/json_path.hpp"
#include "query/jsonpath/json_path_filter.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kMaxText = 8'192;
constexpr std::size_t kMaxFilterDepth = 32;

bool is_name_end(char c) {
  constexpr std::string_view kEnds = ".[]()'\"?*,:;<>=!&|@#+%~^`{} \t\r\n";
  return kEnds.find(c) != std::string_view::npos;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

class JsonPathParser {
 public:
  explicit JsonPathParser(std::string_view text) : text_(text) {
    if (text.size() > kMaxText) fail("it is longer than 8192 characters");
  }

  JsonPath parse_whole() {
    if (peek() != '$') fail("a path begins with '$'");
    ++at_;
    JsonPath path;
    if (peek() == '$') {
      ++at_;
      path.root_ = PathRoot::context;
    } else if (!at_end() && !is_name_end(peek()) && peek() != '$') {
      path.root_ = PathRoot::variable;
      path.variable_ = name();
    }
    parse_segments(path, 0);
    if (!at_end()) fail("unexpected '" + std::string(1, peek()) + "'");
    path.text_ = text_;
    return path;
  }

 private:
  using Filter = JsonPath::Filter;
  using Operator = Filter::Operator;

  [[noreturn]] void fail(const std::string& why) const {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "'" + std::string(text_.substr(0, 200)) + "' is not a valid JSONPath: " +
                          why + " at character " + std::to_string(at_ + 1));
  }

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_space() {
    while (!at_end() && is_space(peek())) ++at_;
  }
  bool take(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }
  void expect(char wanted) {
    skip_space();
    if (peek() != wanted || at_end()) fail("'" + std::string(1, wanted) + "' expected");
    ++at_;
  }

  std::string name() {
    const std::size_t start = at_;
    while (!at_end() && !is_name_end(peek())) ++at_;
    if (at_ == start) fail("a name expected");
    return std::string(text_.substr(start, at_ - start));
  }

  void add(JsonPath& path, JsonPath::Segment segment) {
    const auto* names = std::get_if<JsonPath::Name>(&segment.step);
    const auto* indexes = std::get_if<JsonPath::Index>(&segment.step);
    const bool single = (names != nullptr && names->names.size() == 1) ||
                        (indexes != nullptr && indexes->indexes.size() == 1);
    const bool function = std::holds_alternative<JsonPath::Function>(segment.step);
    const bool forward = indexes == nullptr || indexes->indexes.front() >= 0;
    path.definite_ = path.definite_ && !segment.descend && (single || function);
    path.reference_ = path.reference_ && !segment.descend && single && forward;
    path.segments_.push_back(std::move(segment));
  }

  void parse_segments(JsonPath& path, std::size_t depth) {
    while (!at_end()) {
      if (peek() == '.') {
        ++at_;
        JsonPath::Segment segment;
        segment.descend = take(".");
        if (peek() == '[') {
          bracket(segment, depth);
        } else if (take("*")) {
          segment.step = JsonPath::Wildcard{};
        } else {
          std::string key = name();
          if (take("()")) {
            check_function(key);
            segment.step = JsonPath::Function{std::move(key)};
          } else {
            segment.step = JsonPath::Name{{std::move(key)}};
          }
        }
        add(path, std::move(segment));
      } else if (peek() == '[') {
        JsonPath::Segment segment;
        bracket(segment, depth);
        add(path, std::move(segment));
      } else {
        return;
      }
    }
  }

  void check_function(const std::string& key) const {
    constexpr std::array<std::string_view, 11> kFunctions = {
        "length", "size", "keys", "min", "max", "sum", "avg", "stddev", "first", "last", "concat"};
    for (const std::string_view known : kFunctions) {
      if (key == known && key != "concat") return;
    }
    fail("there is no function '" + key + "()'");
  }

  void bracket(JsonPath::Segment& segment, std::size_t depth) {
    ++at_;
    skip_space();
    if (take("*")) {
      segment.step = JsonPath::Wildcard{};
    } else if (peek() == '?') {
      ++at_;
      skip_space();
      expect('(');
      auto filter = std::make_shared<Filter>(any_of(depth + 1));
      expect(')');
      segment.step = std::shared_ptr<const Filter>(std::move(filter));
    } else if (peek() == '\'' || peek() == '"') {
      JsonPath::Name names;
      do {
        skip_space();
        names.names.push_back(in_quotes());
        skip_space();
      } while (take(","));
      segment.step = std::move(names);
    } else {
      numbers(segment);
    }
    expect(']');
  }

  std::optional<std::int64_t> integer() {
    skip_space();
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc{}) return std::nullopt;
    at_ += static_cast<std::size_t>(stop - begin);
    constexpr std::int64_t kLargest = 1'000'000'000'000;
    if (value > kLargest || value < -kLargest) fail("the index is too large");
    skip_space();
    return value;
  }

  void numbers(JsonPath::Segment& segment) {
    const auto first = integer();
    if (peek() == ':') {
      ++at_;
      JsonPath::Slice slice;
      slice.begin = first;
      slice.end = integer();
      if (peek() == ':') {
        ++at_;
        slice.step = integer().value_or(1);
        if (slice.step < 1) fail("the step of a slice must be 1 or more");
      }
      segment.step = slice;
      return;
    }
    if (!first) fail("an index, a name in quotes, '*', a slice or a filter expected");
    JsonPath::Index indexes{{*first}};
    while (take(",")) {
      const auto next = integer();
      if (!next) fail("an index expected");
      indexes.indexes.push_back(*next);
    }
    segment.step = std::move(indexes);
  }

  std::string in_quotes() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a name in quotes expected");
    ++at_;
    std::string value;
    while (peek() != quote) {
      if (at_end()) fail("the quote is not closed");
      if (peek() == '\\') {
        ++at_;
        if (at_end()) fail("the quote is not closed");
        value += escaped();
      } else {
        value += text_[at_++];
      }
    }
    ++at_;
    return value;
  }

  std::string escaped() {
    const char c = text_[at_++];
    switch (c) {
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'r':
        return "\r";
      case 'b':
        return "\b";
      case 'f':
        return "\f";
      case 'u': {
        const auto value = base::parse_uint64(text_.substr(at_, 4), 16);
        if (at_ + 4 > text_.size() || !value) fail("\\u needs four hexadecimal digits");
        at_ += 4;
        std::string utf8;
        append_utf8(utf8, static_cast<char32_t>(*value));
        return utf8;
      }
      default:
        return std::string(1, c);
    }
  }

  Filter any_of(std::size_t depth) { return chain(depth, "||", Filter::Kind::any_of); }

  Filter chain(std::size_t depth, std::string_view op, Filter::Kind kind) {
    if (depth > kMaxFilterDepth) fail("filters are nested deeper than 32 levels");
    const auto next = [&] {
      return kind == Filter::Kind::any_of ? chain(depth, "&&", Filter::Kind::all_of) : unary(depth);
    };
    Filter first = next();
    skip_space();
    if (!take(op)) return first;
    Filter node;
    node.kind = kind;
    node.children.push_back(std::move(first));
    do {
      node.children.push_back(next());
      skip_space();
    } while (take(op));
    return node;
  }

  Filter unary(std::size_t depth) {
    if (depth > kMaxFilterDepth) fail("filters are nested deeper than 32 levels");
    skip_space();
    if (peek() == '!' && peek(1) != '=') {
      ++at_;
      Filter node;
      node.kind = Filter::Kind::negation;
      node.children.push_back(unary(depth + 1));
      return node;
    }
    if (take("(")) {
      Filter node = any_of(depth + 1);
      expect(')');
      return node;
    }
    return comparison(depth);
  }

  std::optional<Operator> comparison_operator() {
    struct Named {
      std::string_view text;
      Operator op;
    };
    static constexpr std::array<Named, 16> kOperators = {{{"===", Operator::equal},
                                                          {"==", Operator::equal},
                                                          {"!=", Operator::not_equal},
                                                          {"<=", Operator::less_equal},
                                                          {">=", Operator::greater_equal},
                                                          {"<", Operator::less},
                                                          {">", Operator::greater},
                                                          {"=~", Operator::matches},
                                                          {"in ", Operator::in},
                                                          {"nin ", Operator::not_in},
                                                          {"subsetof ", Operator::subset_of},
                                                          {"anyof ", Operator::any_of},
                                                          {"noneof ", Operator::none_of},
                                                          {"contains ", Operator::contains},
                                                          {"size ", Operator::size},
                                                          {"empty ", Operator::empty}}};
    skip_space();
    for (const Named& named : kOperators) {
      if (take(named.text)) return named.op;
    }
    return std::nullopt;
  }

  Filter comparison(std::size_t depth) {
    Filter node;
    node.left = operand(depth);
    const auto op = comparison_operator();
    if (!op) {
      node.kind = Filter::Kind::exists;
      return node;
    }
    node.kind = Filter::Kind::comparison;
    node.op = *op;
    node.right = operand(depth);
    if (*op == Operator::matches && !node.right.regex) fail("=~ needs a /pattern/ at its right");
    return node;
  }

  Filter::Operand operand(std::size_t depth) {
    skip_space();
    Filter::Operand operand;
    const char c = peek();
    if (c == '@' || c == '$') {
      ++at_;
      operand.from = c == '@' ? Filter::Operand::From::element : Filter::Operand::From::document;
      parse_segments(operand.path, depth + 1);
    } else if (c == '\'' || c == '"') {
      operand.literal = json::string(in_quotes());
    } else if (c == '/') {
      operand.regex = regex();
    } else if (c == '[') {
      operand.literal = list();
    } else {
      operand.literal = plain_literal();
    }
    return operand;
  }

  json::value list() {
    ++at_;
    json::array items;
    skip_space();
    while (!take("]")) {
      if (at_end()) fail("']' expected");
      skip_space();
      items.push_back(peek() == '\'' || peek() == '"' ? json::value(in_quotes()) : plain_literal());
      skip_space();
      if (!take(",") && peek() != ']') fail("',' or ']' expected");
      skip_space();
    }
    return items;
  }

  json::value plain_literal() {
    if (take("true")) return true;
    if (take("false")) return false;
    if (take("null")) return nullptr;
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    double number = 0;
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error != std::errc{} || stop == begin) fail("a value or a path expected");
    at_ += static_cast<std::size_t>(stop - begin);
    return number;
  }

  std::shared_ptr<const Regex> regex() {
    ++at_;
    std::string pattern;
    while (peek() != '/') {
      if (at_end()) fail("the pattern is not closed");
      if (peek() == '\\' && peek(1) != '\0') pattern += text_[at_++];
      pattern += text_[at_++];
    }
    ++at_;
    Regex::Options options;
    options.ignore_case = take("i");
    return std::make_shared<const Regex>(pattern, options);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

JsonPath JsonPath::parse(std::string_view text) {
  return JsonPathParser(text).parse_whole();
}

}  // namespace andon::query
