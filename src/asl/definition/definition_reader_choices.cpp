// SPDX-License-Identifier: Apache-2.0
#include "asl/data/choice.hpp"
#include "asl/data/time_text.hpp"
#include "asl/definition/definition_reader.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxTestNesting = 50;

}  // namespace

ChoiceState DefinitionReader::read_choices(const json::object& source, FieldReader& fields,
                                           const json::object& states) {
  const std::string& at = fields.at();
  ChoiceState choice;
  choice.default_next = go_to(source, "Default", states, at);
  if (!problems_.require_fields(source, {"Choices"}, at)) return choice;
  const auto* choices = problems_.typed(source, "Choices", Type::list, at);
  if (choices == nullptr) return choice;
  const json::array& list = choices->get_array();
  if (list.empty()) problems_.schema("Array should have at least 1 item(s)", at + "/Choices");
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (const auto* rule = list[i].if_object()) {
      choice.choices.push_back(read_rule(*rule, fields, states, i));
    } else {
      problems_.schema("Expected value of type [OBJECT]", at + "/" + field_item("Choices", i));
    }
  }
  return choice;
}

ChoiceRule DefinitionReader::read_rule(const json::object& source, FieldReader& fields,
                                       const json::object& states, std::size_t index) {
  const std::string item = field_item("Choices", index);
  const std::string at = fields.at() + "/" + item;
  ChoiceRule rule;
  (void)problems_.require_fields(source, {"Next"}, at);
  rule.next = go_to(source, "Next", states, at);
  if (fields.jsonata()) {
    problems_.check_known(source, {"Condition", "Next", "Assign", "Output", "Comment"}, at);
    (void)problems_.require_fields(source, {"Condition"}, at);
    rule.condition = read_condition(source, fields, item + "/");
    rule.output = fields.payload(source, "Output", FieldReader::Place::plain, item + "/");
  } else {
    rule.test = read_test(source, at, true, 0);
  }
  rule.assign = fields.assignments(source, FieldReader::Place::plain, item + "/");
  return rule;
}

std::shared_ptr<const QueryExpression> DefinitionReader::read_condition(const json::object& source,
                                                                        FieldReader& fields,
                                                                        const std::string& prefix) {
  const auto* condition = source.if_contains("Condition");
  if (condition == nullptr) return nullptr;
  const std::string field = prefix + "Condition";
  if (condition->is_bool()) {
    return fields.expression(condition->get_bool() ? "{% true %}" : "{% false %}", field);
  }
  const auto* text = condition->if_string();
  if (text != nullptr && QueryExpression::is_one(*text)) return fields.expression(*text, field);
  problems_.schema("The field 'Condition' must be a JSONata expression", fields.at() + "/" + field);
  return nullptr;
}

ChoiceTest DefinitionReader::read_test(const json::object& rule, const std::string& at, bool top,
                                       std::size_t depth) {
  ChoiceTest test;
  if (depth > kMaxTestNesting) {
    problems_.schema("Choice rules are nested deeper than 50 levels", at);
    return test;
  }
  Names operators;
  for (const auto& member : rule) {
    const std::string_view key = member.key();
    const bool twin = key.ends_with("Path") && has_path_twin(key.substr(0, key.size() - 4));
    if (key == "And" || key == "Or" || key == "Not" || is_choice_operator(key) || twin) {
      operators.push_back(key);
    } else if (!(key == "Variable" || key == "Comment" ||
                 (top && (key == "Next" || key == "Assign")))) {
      problems_.schema("Field '" + std::string(key) + "' is not supported", at);
    }
  }
  if (operators.size() != 1) {
    problems_.schema("A choice rule must have exactly one comparison operator", at);
    return test;
  }
  const std::string key(operators.front());
  const json::value& operand = rule.at(key);
  const std::string place = at + "/" + key;
  if (key == "And" || key == "Or") {
    test.kind = key == "And" ? ChoiceTest::Kind::all : ChoiceTest::Kind::any;
    const auto* list = operand.if_array();
    if (list == nullptr || list->empty()) {
      problems_.schema("Array should have at least 1 item(s)", place);
      return test;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      test.tests.push_back(read_nested(list->at(i), field_item(place, i), depth));
    }
  } else if (key == "Not") {
    test.kind = ChoiceTest::Kind::negation;
    test.tests.push_back(read_nested(operand, place, depth));
  } else {
    read_operation(test, rule, key, at);
  }
  return test;
}

ChoiceTest DefinitionReader::read_nested(const json::value& value, const std::string& at,
                                         std::size_t depth) {
  if (const auto* rule = value.if_object()) return read_test(*rule, at, false, depth + 1);
  problems_.schema("Expected value of type [OBJECT]", at);
  return {};
}

void DefinitionReader::read_operation(ChoiceTest& test, const json::object& rule,
                                      const std::string& key, const std::string& at) {
  if (!problems_.require_fields(rule, {"Variable"}, at)) return;
  const auto path = [&](std::string_view field) -> std::optional<query::JsonPath> {
    const auto* text = problems_.typed(rule, field, Type::text, at);
    if (text == nullptr) return std::nullopt;
    try {
      return query::JsonPath::parse(text->get_string());
    } catch (const base::Error& error) {
      problems_.schema("Value is not a valid JSONPath: " + error.message(),
                       at + "/" + std::string(field));
      return std::nullopt;
    }
  };
  if (auto variable = path("Variable")) test.variable = *std::move(variable);
  if (key.ends_with("Path")) {
    test.operation = key.substr(0, key.size() - 4);
    test.operand_path = path(key);
    return;
  }
  test.operation = key;
  test.operand = rule.at(key);
  if (key.starts_with("String")) {
    (void)problems_.typed(rule, key, Type::text, at);
  } else if (key.starts_with("Numeric")) {
    (void)problems_.typed(rule, key, Type::number, at);
  } else if (key.starts_with("Is") || key == "BooleanEquals") {
    (void)problems_.typed(rule, key, Type::boolean, at);
  } else if (!test.operand.is_string() || !parse_rfc3339(test.operand.get_string())) {
    problems_.schema("String does not match RFC3339 timestamp", at + "/" + key);
  }
}

}  // namespace andon::asl
