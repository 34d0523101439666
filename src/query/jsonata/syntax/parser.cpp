// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/syntax/parser.hpp"

#include <algorithm>
#include <map>

#include "query/jsonata/syntax/error.hpp"
#include "query/jsonata/syntax/lexer.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::size_t kMaxSource = 256U << 10U;
constexpr std::size_t kMaxNesting = 200;

int binding_power(const Token& token) {
  if (token.kind != TokenKind::op) return 0;
  static const std::map<std::string, int, std::less<>> powers = {
      {".", 75},  {"[", 80},  {"{", 70},   {"(", 80},  {"@", 80},  {"#", 80},  {"?", 20},
      {"+", 50},  {"-", 50},  {"*", 60},   {"/", 60},  {"%", 60},  {"=", 40},  {"<", 40},
      {">", 40},  {"^", 40},  {":=", 10},  {"!=", 40}, {"<=", 40}, {">=", 40}, {"~>", 40},
      {"?:", 40}, {"??", 40}, {"and", 30}, {"or", 25}, {"in", 40}, {"&", 50}};
  const auto found = powers.find(token.text);
  return found == powers.end() ? 0 : found->second;
}

// ?: and ?? use their left side twice, so a row of them doubles the tree each time.
constexpr std::size_t kMaxCopiedNodes = 20'000;

class Cloner {
 public:
  NodePtr clone(const NodePtr& node) {
    if (node == nullptr) return nullptr;
    if (++copied_ > kMaxCopiedNodes) {
      throw Error("S0500", "The expression has too many ?: and ?? in a row", node->position);
    }
    auto copy = std::make_shared<Node>();
    copy->kind = node->kind;
    copy->position = node->position;
    copy->depth = node->depth;
    copy->text = node->text;
    copy->number = node->number;
    copy->regex = node->regex;
    copy->left = clone(node->left);
    copy->right = clone(node->right);
    copy->third = clone(node->third);
    copy->signature = node->signature;
    copy->keep_array = node->keep_array;
    for (const NodePtr& child : node->children) copy->children.push_back(clone(child));
    for (const auto& [key, value] : node->pairs) {
      copy->pairs.emplace_back(clone(key), clone(value));
    }
    for (const SortTerm& term : node->terms) {
      copy->terms.push_back({term.descending, clone(term.expression)});
    }
    return copy;
  }

 private:
  std::size_t copied_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view source) : lexer_(source) {
    if (source.size() > kMaxSource) {
      throw Error("S0500", "The expression is longer than 262144 bytes");
    }
    advance(Lexer::Slash::begins_regex);
  }

  NodePtr parse() {
    NodePtr tree = expression(0);
    if (token_.kind != TokenKind::end) {
      throw Error("S0201", "Syntax error: \"" + token_.text + "\"", token_.position);
    }
    return tree;
  }

 private:
  void advance(Lexer::Slash slash) { token_ = lexer_.next(slash); }

  [[nodiscard]] bool at_operator(std::string_view op) const {
    return token_.kind == TokenKind::op && token_.text == op;
  }

  void expect(std::string_view op, Lexer::Slash slash = Lexer::Slash::begins_regex) {
    if (!at_operator(op)) {
      if (token_.kind == TokenKind::end) {
        throw Error("S0203", "Expected \"" + std::string(op) + "\" before end of expression",
                    token_.position);
      }
      throw Error("S0202", "Expected \"" + std::string(op) + "\", got \"" + token_.text + "\"",
                  token_.position);
    }
    advance(slash);
  }

  static NodePtr make(NodeKind kind, const Token& token) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->text = token.text;
    node->position = token.position;
    return node;
  }

  // Every node that has parts goes through here once they are in place.
  static NodePtr finish(NodePtr node) {
    std::size_t depth = 0;
    const auto below = [&depth](const NodePtr& part) {
      if (part != nullptr) depth = std::max(depth, part->depth);
    };
    below(node->left);
    below(node->right);
    below(node->third);
    for (const NodePtr& child : node->children) below(child);
    for (const auto& [key, value] : node->pairs) {
      below(key);
      below(value);
    }
    for (const SortTerm& term : node->terms) below(term.expression);
    node->depth = depth + 1;
    if (node->depth > kMaxTreeDepth) {
      throw Error("S0500", "The expression is nested deeper than 1000 levels", node->position);
    }
    return node;
  }

  NodePtr expression(int right_power) {
    if (++nesting_ > kMaxNesting) {
      throw Error("S0500", "The expression is nested deeper than 200 levels", token_.position);
    }
    Token token = std::move(token_);
    advance(Lexer::Slash::divides);
    NodePtr left = prefix(token);
    while (right_power < binding_power(token_)) {
      token = std::move(token_);
      advance(Lexer::Slash::begins_regex);
      left = infix(token, std::move(left));
    }
    --nesting_;
    return left;
  }

  NodePtr prefix(const Token& token) {
    switch (token.kind) {
      case TokenKind::end:
        throw Error("S0207", "Unexpected end of expression", token.position);
      case TokenKind::name:
        return make(NodeKind::name, token);
      case TokenKind::variable:
        return make(NodeKind::variable, token);
      case TokenKind::string:
        return make(NodeKind::string, token);
      case TokenKind::value:
        return make(NodeKind::value, token);
      case TokenKind::number: {
        NodePtr node = make(NodeKind::number, token);
        node->number = token.number;
        return node;
      }
      case TokenKind::regex: {
        NodePtr node = make(NodeKind::regex, token);
        node->regex = token.regex;
        return node;
      }
      case TokenKind::op:
        return prefix_operator(token);
    }
    return nullptr;
  }

  NodePtr prefix_operator(const Token& token) {
    const std::string& op = token.text;
    if (op == "and" || op == "or" || op == "in") return make(NodeKind::name, token);
    if (op == "*") return make(NodeKind::wildcard, token);
    if (op == "**") return make(NodeKind::descendant, token);
    if (op == "%") return make(NodeKind::parent, token);
    if (op == "-") {
      NodePtr node = make(NodeKind::unary_minus, token);
      node->left = expression(70);
      return finish(node);
    }
    if (op == "(") return block(token);
    if (op == "[") return list(token);
    if (op == "{") {
      NodePtr node = make(NodeKind::object, token);
      node->pairs = pairs();
      return finish(node);
    }
    if (op == "|") return transform(token);
    throw Error("S0211", "The symbol \"" + op + "\" cannot be used as a unary operator",
                token.position);
  }

  NodePtr block(const Token& token) {
    NodePtr node = make(NodeKind::block, token);
    while (!at_operator(")")) {
      node->children.push_back(expression(0));
      if (!at_operator(";")) break;
      advance(Lexer::Slash::begins_regex);
    }
    expect(")", Lexer::Slash::divides);
    return finish(node);
  }

  NodePtr list(const Token& token) {
    NodePtr node = make(NodeKind::list, token);
    if (!at_operator("]")) {
      for (;;) {
        NodePtr item = expression(0);
        if (at_operator("..")) {
          NodePtr range = make(NodeKind::binary, token_);
          advance(Lexer::Slash::begins_regex);
          range->left = std::move(item);
          range->right = expression(0);
          item = finish(range);
        }
        node->children.push_back(std::move(item));
        if (!at_operator(",")) break;
        advance(Lexer::Slash::begins_regex);
      }
    }
    expect("]", Lexer::Slash::divides);
    return finish(node);
  }

  std::vector<NodePair> pairs() {
    std::vector<NodePair> result;
    if (!at_operator("}")) {
      for (;;) {
        NodePtr key = expression(0);
        expect(":");
        NodePtr value = expression(0);
        result.emplace_back(std::move(key), std::move(value));
        if (!at_operator(",")) break;
        advance(Lexer::Slash::begins_regex);
      }
    }
    expect("}", Lexer::Slash::divides);
    return result;
  }

  NodePtr transform(const Token& token) {
    NodePtr node = make(NodeKind::transform, token);
    node->left = expression(0);
    expect("|");
    node->right = expression(0);
    if (at_operator(",")) {
      advance(Lexer::Slash::begins_regex);
      node->third = expression(0);
    }
    expect("|");
    return finish(node);
  }

  NodePtr infix(const Token& token, NodePtr left) {
    const std::string& op = token.text;
    if (op == "(") return call(token, std::move(left));
    if (op == "[") return predicate(token, std::move(left));
    if (op == "^") return order_by(token, std::move(left));
    if (op == "?" || op == "?:" || op == "??") return condition(token, std::move(left));
    NodePtr node = make(NodeKind::binary, token);
    node->left = std::move(left);
    if (op == "{") {
      node->pairs = pairs();
      return finish(node);
    }
    if (op == ":=") {
      if (node->left->kind != NodeKind::variable) {
        throw Error("S0212", "The left side of := must be a variable name (start with $)",
                    node->left->position);
      }
      node->right = expression(9);
      return finish(node);
    }
    node->right = expression(binding_power(token));
    if ((op == "@" || op == "#") && node->right->kind != NodeKind::variable) {
      throw Error("S0214",
                  "The right side of \"" + op + "\" must be a variable name (start with $)",
                  node->right->position);
    }
    return finish(node);
  }

  NodePtr condition(const Token& token, NodePtr left) {
    NodePtr node = make(NodeKind::condition, token);
    if (token.text == "?") {
      node->left = std::move(left);
      node->right = expression(0);
      if (at_operator(":")) {
        advance(Lexer::Slash::begins_regex);
        node->third = expression(0);
      }
      return finish(node);
    }
    if (token.text == "?:") {
      node->left = cloner_.clone(left);
    } else {
      NodePtr exists = make(NodeKind::function, token);
      exists->left = make(NodeKind::variable, token);
      exists->left->text = "exists";
      exists->children.push_back(cloner_.clone(left));
      node->left = finish(exists);
    }
    node->right = std::move(left);
    node->third = expression(0);
    return finish(node);
  }

  NodePtr predicate(const Token& token, NodePtr left) {
    if (at_operator("]")) {
      NodePtr step = left;
      while (step->kind == NodeKind::binary && step->text == "[") step = step->left;
      step->keep_array = true;
      advance(Lexer::Slash::begins_regex);
      return left;
    }
    NodePtr node = make(NodeKind::binary, token);
    node->left = std::move(left);
    node->right = expression(0);
    expect("]", Lexer::Slash::divides);
    return finish(node);
  }

  NodePtr order_by(const Token& token, NodePtr left) {
    NodePtr node = make(NodeKind::binary, token);
    node->left = std::move(left);
    expect("(");
    for (;;) {
      SortTerm term;
      if (at_operator("<") || at_operator(">")) {
        term.descending = at_operator(">");
        advance(Lexer::Slash::begins_regex);
      }
      term.expression = expression(0);
      node->terms.push_back(std::move(term));
      if (!at_operator(",")) break;
      advance(Lexer::Slash::begins_regex);
    }
    expect(")");
    return finish(node);
  }

  NodePtr call(const Token& token, NodePtr left) {
    NodePtr node = make(NodeKind::function, token);
    node->left = std::move(left);
    if (!at_operator(")")) {
      for (;;) {
        if (at_operator("?")) {
          node->kind = NodeKind::partial;
          node->children.push_back(make(NodeKind::placeholder, token_));
          advance(Lexer::Slash::begins_regex);
        } else {
          node->children.push_back(expression(0));
        }
        if (!at_operator(",")) break;
        advance(Lexer::Slash::begins_regex);
      }
    }
    expect(")", Lexer::Slash::divides);
    const bool is_lambda = node->left->kind == NodeKind::name &&
                           (node->left->text == "function" || node->left->text == "\xCE\xBB");
    return is_lambda ? lambda(std::move(node)) : finish(node);
  }

  NodePtr lambda(NodePtr node) {
    node->kind = NodeKind::lambda;
    node->left = nullptr;
    for (std::size_t i = 0; i < node->children.size(); ++i) {
      const Node& parameter = *node->children[i];
      if (parameter.kind != NodeKind::variable) {
        throw Error("S0208",
                    "Parameter " + std::to_string(i + 1) +
                        " of function definition must be a variable name (start with $)",
                    parameter.position);
      }
    }
    if (at_operator("<")) {
      std::string text = "<";
      for (int depth = 1; depth > 0 && !at_operator("{") && token_.kind != TokenKind::end;) {
        advance(Lexer::Slash::begins_regex);
        if (at_operator(">")) --depth;
        if (at_operator("<")) ++depth;
        text += token_.text;
      }
      expect(">");
      node->signature = std::make_shared<const Signature>(Signature::parse(text));
    }
    expect("{");
    node->left = expression(0);
    expect("}");
    return finish(node);
  }

  Lexer lexer_;
  Token token_;
  std::size_t nesting_ = 0;
  Cloner cloner_;
};

}  // namespace

NodePtr parse_source(std::string_view source) {
  return Parser(source).parse();
}

}  // namespace andon::query::jsonata
