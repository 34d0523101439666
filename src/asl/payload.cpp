// SPDX-License-Identifier: Apache-2.0
#include "asl/payload.hpp"

#include "asl/path_lookup.hpp"
#include "base/error.hpp"

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
    : expression_(jsonata::Expression::parse(inside(text))), field_(std::move(field)) {}

json::value QueryExpression::evaluate(const Scope& scope) const {
  jsonata::Environment environment;
  environment.now = scope.now;
  environment.random = scope.random;
  environment.states.emplace_back("input", scope.input.get());
  if (scope.result != nullptr) environment.states.emplace_back("result", scope.result.get());
  if (scope.error_output != nullptr) {
    environment.states.emplace_back("errorOutput", scope.error_output.get());
  }
  if (scope.context != nullptr) environment.context = &scope.context->for_jsonata();
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
  } catch (const jsonata::Error& error) {
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

Payload Payload::compile(const json::value& source, QueryLanguage language,
                         const std::string& field) {
  bool constant = true;
  Payload payload;
  payload.root_ = compile_node(source, language, field, constant);
  if (constant) return literal(source);
  return payload;
}

Payload Payload::literal(const json::value& source) {
  Payload payload;
  payload.root_ = std::make_shared<const Node>(Node{make_data(source)});
  return payload;
}

std::shared_ptr<const Payload::Node> Payload::compile_dynamic(const std::string& key,
                                                              const json::value& source) {
  const auto* text = source.if_string();
  const std::string shown = text != nullptr ? std::string(*text) : "";
  if (text != nullptr && Intrinsic::looks_like(shown)) {
    return std::make_shared<const Node>(Node{Intrinsic::parse(shown)});
  }
  if (text == nullptr || !shown.starts_with('$')) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "The value for the field '" + key +
                          "' must be a valid JSONPath or a valid intrinsic function call");
  }
  return std::make_shared<const Node>(Node{Path{JsonPath::parse(shown), key}});
}

std::shared_ptr<const Payload::Node> Payload::compile_node(const json::value& source,
                                                           QueryLanguage language,
                                                           const std::string& field,
                                                           bool& constant) {
  if (const auto* object = source.if_object()) {
    std::vector<Member> members;
    for (const auto& member : *object) {
      const std::string key = member.key();
      if (language == QueryLanguage::json_path && key.ends_with(".$")) {
        constant = false;
        members.push_back({key.substr(0, key.size() - 2), compile_dynamic(key, member.value())});
      } else {
        members.push_back(
            {key, compile_node(member.value(), language, field_member(field, key), constant)});
      }
    }
    return std::make_shared<const Node>(Node{std::move(members)});
  }
  if (const auto* array = source.if_array()) {
    std::vector<std::shared_ptr<const Node>> items;
    for (std::size_t i = 0; i < array->size(); ++i) {
      items.push_back(compile_node((*array)[i], language, field_item(field, i), constant));
    }
    return std::make_shared<const Node>(Node{std::move(items)});
  }
  if (const auto* text = source.if_string();
      text != nullptr && language == QueryLanguage::jsonata && QueryExpression::is_one(*text)) {
    constant = false;
    return std::make_shared<const Node>(Node{QueryExpression(*text, field)});
  }
  return std::make_shared<const Node>(Node{make_data(source)});
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
    json::value operator()(const QueryExpression& expression) const {
      return expression.evaluate(scope);
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
  return std::get_if<QueryExpression>(&root_->content);
}

Data Payload::evaluate(const Scope& scope) const {
  if (const auto* literal = std::get_if<Data>(&root_->content)) return *literal;
  return make_data(build(*root_, scope));
}

}  // namespace andon::asl
