// SPDX-License-Identifier: Apache-2.0
// Payload templates: JSON in which some texts stand for values. In JSONPath mode a member "x.$" is
// a path or an intrinsic call; in JSONata mode a text "{% ... %}" is an expression.
// Compiled once, immutable, any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "asl/data/failure.hpp"
#include "asl/data/intrinsic.hpp"
#include "asl/data/scope.hpp"
#include "query/jsonata/evaluate/jsonata.hpp"
#include "query/jsonpath/json_path.hpp"

namespace andon::asl {

enum class QueryLanguage { json_path, jsonata };

// A JSONata expression and the field that it stands in ("Output/items[0]").
class QueryExpression {
 public:
  // `text` with its {% %}. Throws query::jsonata::Error.
  QueryExpression(std::string_view text, std::string field);
  [[nodiscard]] static bool is_one(std::string_view text);

  // Throws Failure(States.QueryEvaluationError) with its location set.
  [[nodiscard]] json::value evaluate(const Scope& scope) const;
  [[nodiscard]] const std::string& field() const { return field_; }
  [[nodiscard]] const query::jsonata::Expression& expression() const { return expression_; }
  // The failure for a value of another type than `expected` ("array").
  [[nodiscard]] Failure wrong_type(std::string_view expected, const json::value& value) const;

 private:
  query::jsonata::Expression expression_;
  std::string field_;
};

// Who compiles a payload hears of its problems here, so that one walk finds all of them.
class PayloadReader {
 public:
  PayloadReader() = default;
  PayloadReader(const PayloadReader&) = delete;
  PayloadReader& operator=(const PayloadReader&) = delete;
  virtual ~PayloadReader() = default;
  // A member "x.$" that is neither a path nor a call.
  virtual void malformed(const std::string& key, const std::string& field) = 0;
  // The expression in `text`; null where it is none, which has been told by then.
  virtual std::shared_ptr<const QueryExpression> expression(std::string_view text,
                                                            const std::string& field) = 0;
  // Text of JSONPath mode that stands for itself.
  virtual void plain(std::string_view text, const std::string& field) = 0;
};

class Payload {
 public:
  // `field` is the name of the field in its state. What is malformed stands as null.
  [[nodiscard]] static Payload compile(const json::value& source, QueryLanguage language,
                                       const std::string& field, PayloadReader& reader);
  // The value as it stands.
  [[nodiscard]] static Payload literal(const json::value& source);

  [[nodiscard]] Data evaluate(const Scope& scope) const;
  // The expression, where the whole payload is one; else null.
  [[nodiscard]] const QueryExpression* expression() const;

 private:
  struct Node;
  struct Member {
    std::string key;
    std::shared_ptr<const Node> node;
  };
  struct Path {
    query::JsonPath path;
    std::string field;
  };
  struct Node {
    std::variant<Data, Path, std::unique_ptr<const Intrinsic>,
                 std::shared_ptr<const QueryExpression>, std::vector<Member>,
                 std::vector<std::shared_ptr<const Node>>>
        content;
  };

  class Compiler;
  [[nodiscard]] static json::value build(const Node& node, const Scope& scope);

  std::shared_ptr<const Node> root_;
};

// "Output" + "a" -> "Output/a".
[[nodiscard]] std::string field_member(const std::string& field, std::string_view key);
[[nodiscard]] std::string field_item(const std::string& field, std::size_t index);

// JSONata's word for the type of a value: "array", "number", ...
[[nodiscard]] std::string_view type_name(const json::value& value);

}  // namespace andon::asl
