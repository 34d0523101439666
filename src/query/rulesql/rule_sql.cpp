// SPDX-License-Identifier: Apache-2.0
#include "query/rulesql/rule_sql.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "query/rulesql/rule_expression.hpp"
#include "query/rulesql/rule_sql_lexer.hpp"

namespace andon::query {

using base::Error;
using base::ErrorCode;
using Expression = RuleExpression;
using Kind = RuleExpression::Kind;
using TokenKind = RuleToken::Kind;

namespace {

constexpr std::size_t kMostDepth = 32;
constexpr std::size_t kMostColumns = 100;
constexpr std::size_t kMostPieces = 100;
constexpr std::size_t kMostUsed = 64U << 20U;  // bytes of a message, each time it is used
constexpr std::array<std::string_view, 6> kComparisons{"=", "<>", "!=", "<", "<=", ">"};

Expression make(Kind kind, std::string text, std::vector<Expression> children) {
  Expression made;
  made.kind = kind;
  made.text = std::move(text);
  made.children = std::move(children);
  return made;
}

Expression make_literal(base::json::value value) {
  Expression made;
  made.literal = std::move(value);
  return made;
}

}  // namespace

class RuleSqlParser {
 public:
  explicit RuleSqlParser(std::string_view text) : tokens_(read_rule_tokens(text)) {}

  void read_query(RuleSql& query) {
    expect_word("SELECT");
    if (is_word("VALUE")) fail("SELECT VALUE is not supported; name the columns");
    do {
      query.columns_.push_back(column());
      if (query.columns_.size() > kMostColumns) fail("it has too many columns");
    } while (take_sign(","));
    expect_word("FROM");
    if (now().kind != TokenKind::text) {
      fail("FROM must be followed by a topic filter in single quotes");
    }
    query.filter_ = take().text;
    if (take_word("WHERE")) query.where_ = std::make_shared<const Expression>(expression());
    if (now().kind != TokenKind::end) fail("the statement should end here");
  }

  Expression whole_expression() {
    Expression read = expression();
    if (now().kind != TokenKind::end) fail("the expression should end here");
    return read;
  }

 private:
  [[nodiscard]] const RuleToken& now() const { return tokens_[at_]; }
  RuleToken take() { return tokens_[at_++]; }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(
        ErrorCode::invalid_argument,
        "SQL, at character " + std::to_string(now().at + 1) + ": " + why +
            (now().kind == TokenKind::end ? "; the text ends" : ", not '" + now().text + "'"));
  }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return now().kind == TokenKind::name && base::equal_ignoring_case(now().text, word);
  }
  bool take_word(std::string_view word) {
    if (!is_word(word)) return false;
    ++at_;
    return true;
  }
  void expect_word(std::string_view word) {
    if (!take_word(word)) fail(std::string(word) + " is expected");
  }
  [[nodiscard]] bool is_sign(std::string_view sign) const {
    return now().kind == TokenKind::sign && now().text == sign;
  }
  bool take_sign(std::string_view sign) {
    if (!is_sign(sign)) return false;
    ++at_;
    return true;
  }
  void expect_sign(std::string_view sign) {
    if (!take_sign(sign)) fail("'" + std::string(sign) + "' is expected");
  }
  [[nodiscard]] bool is_name() const {
    return now().kind == TokenKind::name || now().kind == TokenKind::quoted_name;
  }

  RuleSql::Column column() {
    if (take_sign("*")) {
      if (!take_word("AS")) return {};
      Expression all;
      all.kind = Kind::everything;
      return {std::make_shared<const Expression>(std::move(all)), alias()};
    }
    const std::size_t begin = at_;
    Expression read = expression();
    std::vector<std::string> name;
    const bool is_all_of_it = at_ >= begin + 2 && tokens_[at_ - 1].text == "*" &&
                              tokens_[at_ - 2].text == "." &&
                              tokens_[at_ - 1].kind == TokenKind::sign;
    if (take_word("AS")) {
      name = alias();
    } else if (is_all_of_it) {
      // its members are columns
    } else if (read.kind == Kind::member || read.kind == Kind::call) {
      name = {read.text};
    } else {
      at_ = begin;
      fail("a column that is no name needs AS and one");
    }
    return {std::make_shared<const Expression>(std::move(read)), std::move(name)};
  }

  std::vector<std::string> alias() {
    std::vector<std::string> name;
    do {
      if (!is_name()) fail("AS must be followed by a name");
      name.push_back(take().text);
    } while (take_sign("."));
    if (name.size() > kMostDepth) fail("the name has too many parts");
    return name;
  }

  // Each level of a tree may be as deep as kMostDepth; what is built by a loop counts, too.
  class Deeper {
   public:
    explicit Deeper(RuleSqlParser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMostDepth) parser_.fail("it is nested too deep");
    }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    ~Deeper() { --parser_.depth_; }

   private:
    RuleSqlParser& parser_;
  };

  Expression expression() {
    const Deeper deeper(*this);
    return either();
  }

  // A chain of one operator is one node, so that it is not deep.
  Expression either() {
    std::vector<Expression> all{both()};
    while (take_word("OR")) all.push_back(both());
    return all.size() == 1 ? std::move(all.front()) : make(Kind::either, {}, std::move(all));
  }
  Expression both() {
    std::vector<Expression> all{negation()};
    while (take_word("AND")) all.push_back(negation());
    return all.size() == 1 ? std::move(all.front()) : make(Kind::both, {}, std::move(all));
  }
  Expression negation() {
    const Deeper deeper(*this);
    if (is_word("EXISTS")) fail("EXISTS is not supported");
    if (take_word("NOT")) return make(Kind::negative, {}, {negation()});
    return comparison();
  }

  Expression comparison() {
    Expression left = sum();
    const bool is_negated = is_word("NOT");
    if (is_negated) ++at_;
    if (take_word("IN")) {
      Expression within = make(Kind::within, {}, {std::move(left), list_or_array()});
      return is_negated ? make(Kind::negative, {}, {std::move(within)}) : within;
    }
    if (is_negated) fail("IN is expected");
    if (is_word("LIKE")) fail("LIKE is not supported; use regexp_matches()");
    for (const std::string_view sign : kComparisons) {
      if (take_sign(sign)) return make(Kind::compare, std::string(sign), {std::move(left), sum()});
    }
    if (take_sign(">=")) return make(Kind::compare, ">=", {std::move(left), sum()});
    return left;
  }

  Expression list_or_array() {
    if (!take_sign("(")) return sum();
    if (is_word("SELECT")) fail("nested queries are not supported");
    Expression list = make(Kind::array, {}, {});
    do {
      list.children.push_back(expression());
    } while (take_sign(","));
    expect_sign(")");
    return list;
  }

  Expression sum() {
    Expression left = product();
    for (std::size_t links = 0;; ++links) {
      if (!is_sign("+") && !is_sign("-")) return left;
      if (links > kMostDepth) fail("it has too many operators in a row");
      const std::string sign = take().text;
      left = make(Kind::calculate, sign, {std::move(left), product()});
    }
  }
  Expression product() {
    Expression left = unary();
    for (std::size_t links = 0;; ++links) {
      if (!is_sign("*") && !is_sign("/") && !is_sign("%")) return left;
      if (links > kMostDepth) fail("it has too many operators in a row");
      const std::string sign = take().text;
      left = make(Kind::calculate, sign, {std::move(left), unary()});
    }
  }
  Expression unary() {
    const Deeper deeper(*this);
    if (take_sign("-")) return make(Kind::negate, {}, {unary()});
    return path();
  }

  Expression path() {
    Expression read = primary();
    for (std::size_t links = 0;; ++links) {
      if (links > kMostDepth) fail("the path has too many parts");
      if (take_sign(".")) {
        if (take_sign("*")) continue;  // all of an object is the object
        if (!is_name()) fail("a name is expected");
        read = make(Kind::member, take().text, {std::move(read)});
      } else if (take_sign("[")) {
        Expression index = expression();
        expect_sign("]");
        read = make(Kind::element, {}, {std::move(read), std::move(index)});
      } else {
        return read;
      }
    }
  }

  Expression primary() {
    if (now().kind == TokenKind::number) return make_literal(take().value);
    if (now().kind == TokenKind::text) return make_literal(base::json::string(take().text));
    if (now().kind == TokenKind::quoted_name) return make(Kind::member, take().text, {});
    if (take_sign("(")) {
      if (is_word("SELECT")) fail("nested queries are not supported");
      Expression read = expression();
      expect_sign(")");
      return read;
    }
    if (take_sign("[")) return array();
    if (take_sign("{")) return object();
    if (now().kind != TokenKind::name) fail("a value is expected");
    return word();
  }

  Expression word() {
    if (take_word("TRUE")) return make_literal(true);
    if (take_word("FALSE")) return make_literal(false);
    if (take_word("NULL")) return make_literal(nullptr);
    if (is_word("UNDEFINED")) {
      ++at_;
      return make(Kind::choose, {}, {});  // of nothing
    }
    if (take_word("CASE")) return choice();
    for (const char* reserved :
         {"SELECT", "FROM", "WHERE", "AND", "OR", "AS", "IN", "THEN", "END"}) {
      if (is_word(reserved)) fail("a value is expected");
    }
    const RuleToken name = take();
    if (!take_sign("(")) return make(Kind::member, name.text, {});
    if (base::equal_ignoring_case(name.text, "cast")) return cast();
    return call(name);
  }

  Expression cast() {
    Expression value = expression();
    expect_word("AS");
    const std::string type = base::to_lower(take().text);
    static constexpr std::array<std::string_view, 6> kTypes{"int",    "integer", "decimal",
                                                            "string", "boolean", "value"};
    if (std::ranges::find(kTypes, type) == kTypes.end()) {
      --at_;
      fail("CAST knows Int, Decimal, String and Boolean");
    }
    expect_sign(")");
    return make(Kind::cast, type, {std::move(value)});
  }

  Expression call(const RuleToken& name) {
    const RuleFunctionRow* const row = find_rule_function(name.text);
    if (row == nullptr) {
      throw Error(
          is_other_rule_function(name.text) ? ErrorCode::unsupported : ErrorCode::invalid_argument,
          "SQL, at character " + std::to_string(name.at + 1) + ": there is no function " +
              name.text + "() on this server");
    }
    Expression read = make(Kind::call, name.text, {});
    read.function = row->function;
    if (!take_sign(")")) {
      // topic(*) and the like are not of this language; * alone is the whole message.
      do {
        if (take_sign("*")) {
          Expression all;
          all.kind = Kind::everything;
          read.children.push_back(std::move(all));
        } else {
          read.children.push_back(expression());
        }
      } while (take_sign(","));
      expect_sign(")");
    }
    if (read.children.size() < row->least || read.children.size() > row->most) {
      fail(name.text + "() takes " + std::to_string(row->least) + " to " +
           std::to_string(row->most) + " arguments");
    }
    return read;
  }

  Expression choice() {
    Expression made = make(Kind::choose, {}, {});
    // It stands there once: copied to each WHEN, some of these in one another are too much.
    if (!is_word("WHEN")) made = make(Kind::match, {}, {expression()});
    if (!is_word("WHEN")) fail("WHEN is expected");
    while (take_word("WHEN")) {
      made.children.push_back(expression());
      expect_word("THEN");
      made.children.push_back(expression());
    }
    if (take_word("ELSE")) made.children.push_back(expression());
    expect_word("END");
    return made;
  }

  Expression array() {
    Expression made = make(Kind::array, {}, {});
    if (take_sign("]")) return made;
    do {
      made.children.push_back(expression());
    } while (take_sign(","));
    expect_sign("]");
    return made;
  }

  Expression object() {
    Expression made = make(Kind::object, {}, {});
    if (take_sign("}")) return made;
    do {
      if (!is_name() && now().kind != TokenKind::text) fail("a name is expected");
      made.names.push_back(take().text);
      expect_sign(":");
      made.children.push_back(expression());
    } while (take_sign(","));
    expect_sign("}");
    return made;
  }

  std::vector<RuleToken> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

namespace {

void check_size(std::string_view text) {
  if (text.size() <= RuleSql::kMostText) return;
  throw Error(ErrorCode::invalid_argument,
              "SQL: it has more than " + std::to_string(RuleSql::kMostText) + " bytes");
}

// How often a part of the message may be copied.
std::size_t uses_of(const Expression& expression) {
  std::size_t uses = expression.kind == Kind::member || expression.kind == Kind::everything ? 1 : 0;
  for (const Expression& child : expression.children) uses += uses_of(child);
  return uses;
}

// Where several columns have the same beginning, they are members of one object.
void put(base::json::object& made, const std::vector<std::string>& name, base::json::value value) {
  base::json::object* inner = &made;
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    base::json::value& next = (*inner)[name[i]];
    if (!next.is_object()) next = base::json::object{};
    inner = &next.get_object();
  }
  (*inner)[name.back()] = std::move(value);
}

void put_members(base::json::object& made, const base::json::value& all) {
  const base::json::object* const object = all.if_object();
  if (object == nullptr) return;
  for (const auto& [key, value] : *object) made[key] = value;
}

}  // namespace

RuleSql::RuleSql(std::string_view text) {
  check_size(text);
  RuleSqlParser(text).read_query(*this);
  for (const Column& column : columns_) {
    uses_ += column.expression == nullptr ? 1 : uses_of(*column.expression);
  }
  if (where_ != nullptr) uses_ += uses_of(*where_);
}

bool RuleSql::is_everything() const {
  return columns_.size() == 1 && columns_.front().expression == nullptr;
}

std::optional<RuleSql::Selected> RuleSql::select(const RuleMessage& asked) const {
  Regex::Work patterns{.most = kMostPatternSteps};
  RuleMessage message = asked;
  message.patterns = &patterns;
  if (uses_ * message.bytes.size() > kMostUsed) {
    throw Error(ErrorCode::resource_exhausted,
                "the message is too large for a rule that uses it so often");
  }
  if (where_ != nullptr) {
    const RuleValue verdict = evaluate(*where_, message);
    if (!verdict || !verdict->is_bool() || !verdict->get_bool()) return std::nullopt;
  }
  if (is_everything()) {
    if (message.payload == nullptr) return Selected{std::string(message.bytes), false};
    return Selected{base::to_text(*message.payload), true};
  }
  base::json::object made;
  for (const Column& column : columns_) {
    if (column.expression == nullptr) {
      if (message.payload != nullptr) put_members(made, *message.payload);
      continue;
    }
    RuleValue value = evaluate(*column.expression, message);
    if (!value) continue;
    if (column.name.empty()) {
      put_members(made, *value);
    } else {
      put(made, column.name, *std::move(value));
    }
  }
  return Selected{base::to_text(made), true};
}

RuleText::RuleText(std::string_view text) {
  check_size(text);
  while (!text.empty()) {
    const std::size_t begin = text.find("${");
    if (begin != 0) pieces_.push_back({std::string(text.substr(0, begin)), nullptr});
    if (begin == std::string_view::npos) return;
    // A brace of an expression's own is in quotes or has its other half.
    std::size_t end = begin + 2;
    char quote = 0;
    int open = 0;
    for (; end < text.size(); ++end) {
      const char c = text[end];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '{') {
        ++open;
      } else if (c == '}' && open-- == 0) {
        break;
      }
    }
    if (end == text.size()) {
      throw Error(ErrorCode::invalid_argument, "'${' in a text has no '}'");
    }
    const std::string_view inner = text.substr(begin + 2, end - begin - 2);
    pieces_.push_back(
        {{}, std::make_shared<const Expression>(RuleSqlParser(inner).whole_expression())});
    has_expressions_ = true;
    if (pieces_.size() > kMostPieces) {
      throw Error(ErrorCode::invalid_argument, "a text has more than 100 parts");
    }
    text.remove_prefix(end + 1);
  }
}

std::string RuleText::fill(const RuleMessage& asked) const {
  Regex::Work patterns{.most = RuleSql::kMostPatternSteps};
  RuleMessage message = asked;
  message.patterns = &patterns;
  std::string filled;
  for (const Piece& piece : pieces_) {
    filled += piece.expression == nullptr
                  ? piece.text
                  : rule_text(evaluate(*piece.expression, message)).value_or("undefined");
    if (filled.size() > RuleSql::kMostMade) {
      throw Error(ErrorCode::resource_exhausted, "a text became too long");
    }
  }
  return filled;
}

}  // namespace andon::query
