// SPDX-License-Identifier: Apache-2.0
#include "asl/definition_checker.hpp"

#include <algorithm>

#include "asl/choice.hpp"
#include "asl/time_text.hpp"
#include "base/error.hpp"

namespace andon::asl {
namespace {

constexpr std::string_view kSchema = "SCHEMA_VALIDATION_FAILED";

}  // namespace

void DefinitionChecker::check_choices(const json::object& state, QueryLanguage language,
                                      const json::object& states, const std::string& at) {
  go_to(state, "Default", states, at);
  if (!require_fields(state, {"Choices"}, at)) return;
  const auto* choices = typed(state, "Choices", Type::list, at);
  if (choices == nullptr) return;
  const json::array& list = choices->get_array();
  if (list.empty()) report(kSchema, "Array should have at least 1 item(s)", at + "/Choices");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = at + "/Choices[" + std::to_string(i) + "]";
    const auto* rule = list[i].if_object();
    if (rule == nullptr) {
      report(kSchema, "Expected value of type [OBJECT]", place);
      continue;
    }
    (void)require_fields(*rule, {"Next"}, place);
    go_to(*rule, "Next", states, place);
    if (language == QueryLanguage::jsonata) {
      check_known(*rule, {"Condition", "Next", "Assign", "Output", "Comment"}, place);
      (void)require_fields(*rule, {"Condition"}, place);
    } else {
      check_rule(*rule, place, true, 0);
    }
  }
}

void DefinitionChecker::check_rule(const json::object& rule, const std::string& at, bool top,
                                   std::size_t depth) {
  if (depth > 50) {
    report(kSchema, "Choice rules are nested deeper than 50 levels", at);
    return;
  }
  Names operators;
  for (const auto& member : rule) {
    const std::string_view key = member.key();
    const bool twin = key.ends_with("Path") && has_path_twin(key.substr(0, key.size() - 4));
    if (key == "And" || key == "Or" || key == "Not" || is_choice_operator(key) || twin) {
      operators.push_back(key);
    } else if (!(key == "Variable" || key == "Comment" ||
                 (top && (key == "Next" || key == "Assign")))) {
      report(kSchema, "Field '" + std::string(key) + "' is not supported", at);
    }
  }
  if (operators.size() != 1) {
    report(kSchema, "A choice rule must have exactly one comparison operator", at);
    return;
  }
  const std::string key(operators.front());
  const json::value& operand = rule.at(key);
  const std::string place = at + "/" + key;
  if (key == "And" || key == "Or") {
    const auto* list = operand.if_array();
    if (list == nullptr || list->empty()) {
      report(kSchema, "Array should have at least 1 item(s)", place);
      return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      check_nested(list->at(i), place + "[" + std::to_string(i) + "]", depth);
    }
  } else if (key == "Not") {
    check_nested(operand, place, depth);
  } else {
    check_operation(rule, key, operand, at);
  }
}

void DefinitionChecker::check_nested(const json::value& value, const std::string& at,
                                     std::size_t depth) {
  if (const auto* rule = value.if_object()) {
    check_rule(*rule, at, false, depth + 1);
  } else {
    report(kSchema, "Expected value of type [OBJECT]", at);
  }
}

void DefinitionChecker::check_operation(const json::object& rule, const std::string& key,
                                        const json::value& operand, const std::string& at) {
  if (!require_fields(rule, {"Variable"}, at)) return;
  const auto check_path = [&](std::string_view field) {
    const auto* text = typed(rule, field, Type::text, at);
    if (text == nullptr) return;
    try {
      (void)JsonPath::parse(text->get_string());
    } catch (const base::Error& error) {
      report(kSchema, "Value is not a valid JSONPath: " + error.message(),
             at + "/" + std::string(field));
    }
  };
  check_path("Variable");
  if (key.ends_with("Path")) {
    check_path(key);
  } else if (key.starts_with("String")) {
    (void)typed(rule, key, Type::text, at);
  } else if (key.starts_with("Numeric")) {
    (void)typed(rule, key, Type::number, at);
  } else if (key.starts_with("Is") || key == "BooleanEquals") {
    (void)typed(rule, key, Type::boolean, at);
  } else if (!operand.is_string() || !parse_rfc3339(operand.get_string())) {
    report(kSchema, "String does not match RFC3339 timestamp", at + "/" + key);
  }
}

}  // namespace andon::asl
