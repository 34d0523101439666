// SPDX-License-Identifier: Apache-2.0
#include "asl/data/payload.hpp"

#include <algorithm>

#include "asl/data/failure.hpp"
#include "asl/data/path_lookup.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

std::string_view inside(std::string_view text) {
  text.remove_prefix(2);
  text.remove_suffix(2);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\t' ||
                           text.front() == '\r')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' ||
                           text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::string field_member(const std::string& field, std::string_view key) {
  return field + "/" + std::string(key);
}

std::string field_item(const std::string& field, std::size_t index) {
  return field + "[" + std::to_string(index) + "]";
}

std::string_view type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
    default:
      return "number";
  }
}

bool QueryExpression::is_one(std::string_view text) {
  return text.size() >= 4 && text.starts_with("{%") && text.ends_with("%}");
}

QueryExpression::QueryExpression(std::string_view text, std::string field)
    : expression_(query::jsonata::Expression::parse(inside(text))), field_(std::move(field)) {}

json::value QueryExpression::evaluate(const Scope& scope) const {
  query::jsonata::Environment environment;
  environment.now = scope.now;
  environment.random = scope.random;
  // What is large is read only where the expression looks at $states.
  const bool reads_states = std::ranges::find(expression_.free_variables(), "states") !=
                            expression_.free_variables().end();
  if (reads_states) environment.states.emplace_back("input", scope.input.get().get());
  if (scope.result != nullptr) environment.states.emplace_back("result", scope.result.get());
  if (scope.error_output != nullptr) {
    environment.states.emplace_back("errorOutput", scope.error_output.get());
  }
  if (reads_states && scope.context != nullptr) {
    environment.context = &scope.context->for_jsonata();
  }
  for (const std::string& name : expression_.free_variables()) {
    if (name == "states") continue;
    if (const Data* value = scope.find_variable(name)) {
      environment.variables.emplace_back(name, value->get());
    }
  }
  const std::string subject = "The JSONata expression '" + expression_.source() +
                              "' specified for the field '" + field_ + "'";
  try {
    auto value = expression_.evaluate(environment);
    if (value) return *std::move(value);
  } catch (const query::jsonata::Error& error) {
    throw failure(kQueryEvaluationError,
                  subject + " threw an error during evaluation. " + error.what())
        .at(field_);
  }
  throw failure(kQueryEvaluationError, subject + " returned nothing (undefined).").at(field_);
}

Failure QueryExpression::wrong_type(std::string_view expected, const json::value& value) const {
  return failure(kQueryEvaluationError,
                 "The JSONata expression '" + expression_.source() + "' specified for the field '" +
                     field_ + "' returned an unexpected result type. Expected '" +
                     std::string(expected) + "', but was '" + std::string(type_name(value)) +
                     "' for value: " + base::to_text(value))
      .at(field_);
}

class Payload::Compiler {
 public:
  Compiler(QueryLanguage language, PayloadReader& reader) : language_(language), reader_(reader) {}

  std::shared_ptr<const Node> compile(const json::value& source, const std::string& field) {
    if (const auto* object = source.if_object()) return compile_object(*object, field);
    if (const auto* array = source.if_array()) {
      std::vector<std::shared_ptr<const Node>> items;
      for (std::size_t i = 0; i < array->size(); ++i) {
        items.push_back(compile((*array)[i], field_item(field, i)));
      }
      return make(std::move(items));
    }
    if (const auto* text = source.if_string()) {
      if (language_ == QueryLanguage::json_path) {
        reader_.plain(*text, field);
      } else if (QueryExpression::is_one(*text)) {
        constant_ = false;
        if (auto expression = reader_.expression(*text, field)) return make(std::move(expression));
        return make(make_data(nullptr));
      }
    }
    return make(make_data(source));
  }

  [[nodiscard]] bool constant() const { return constant_; }

 private:
  template <typename Content>
  static std::shared_ptr<const Node> make(Content content) {
    return std::make_shared<const Node>(Node{std::move(content)});
  }

  std::shared_ptr<const Node> compile_object(const json::object& object, const std::string& field) {
    std::vector<Member> members;
    for (const auto& member : object) {
      const std::string key = member.key();
      const std::string place = field_member(field, key);
      if (language_ == QueryLanguage::json_path && key.ends_with(".$")) {
        constant_ = false;
        members.push_back({key.substr(0, key.size() - 2), dynamic(key, member.value(), place)});
      } else {
        members.push_back({key, compile(member.value(), place)});
      }
    }
    return make(std::move(members));
  }

  std::shared_ptr<const Node> dynamic(const std::string& key, const json::value& source,
                                      const std::string& place) {
    const auto* text = source.if_string();
    try {
      if (text != nullptr && Intrinsic::looks_like(*text)) return make(Intrinsic::parse(*text));
      if (text != nullptr && text->starts_with('$')) {
        return make(Path{query::JsonPath::parse(*text), key});
      }
    } catch (const base::Error& /*malformed*/) {
      // told below
    }
    reader_.malformed(key, place);
    return make(make_data(nullptr));
  }

  QueryLanguage language_;
  PayloadReader& reader_;
  bool constant_ = true;
};

Payload Payload::compile(const json::value& source, QueryLanguage language,
                         const std::string& field, PayloadReader& reader) {
  Compiler compiler(language, reader);
  Payload payload;
  payload.root_ = compiler.compile(source, field);
  if (compiler.constant()) return literal(source);
  return payload;
}

Payload Payload::literal(const json::value& source) {
  Payload payload;
  payload.root_ = std::make_shared<const Node>(Node{make_data(source)});
  return payload;
}

json::value Payload::build(const Node& node, const Scope& scope) {
  struct Build {
    const Scope& scope;
    json::value operator()(const Data& literal) const { return *literal; }
    json::value operator()(const Path& path) const {
      return *require(path.path, scope, path.field);
    }
    json::value operator()(const std::unique_ptr<const Intrinsic>& call) const {
      return call->evaluate(scope);
    }
    json::value operator()(const std::shared_ptr<const QueryExpression>& expression) const {
      return expression->evaluate(scope);
    }
    json::value operator()(const std::vector<Member>& members) const {
      json::object object;
      object.reserve(members.size());
      for (const Member& member : members) object[member.key] = build(*member.node, scope);
      return object;
    }
    json::value operator()(const std::vector<std::shared_ptr<const Node>>& items) const {
      json::array array;
      array.reserve(items.size());
      for (const auto& item : items) array.push_back(build(*item, scope));
      return array;
    }
  };
  return std::visit(Build{scope}, node.content);
}

const QueryExpression* Payload::expression() const {
  const auto* held = std::get_if<std::shared_ptr<const QueryExpression>>(&root_->content);
  return held != nullptr ? held->get() : nullptr;
}

Data Payload::evaluate(const Scope& scope) const {
  if (const auto* literal = std::get_if<Data>(&root_->content)) return *literal;
  return make_data(build(*root_, scope));
}

}  // namespace andon::asl
