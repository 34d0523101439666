// SPDX-License-Identifier: Apache-2.0
#include "asl/definition_checker.hpp"

#include <algorithm>
#include <optional>

#include "asl/utf8.hpp"
#include "base/error.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxFlowNesting = 40;
constexpr std::size_t kMaxName = 80;
constexpr std::string_view kSchema = "SCHEMA_VALIDATION_FAILED";
constexpr std::string_view kTarget = "MISSING_TRANSITION_TARGET";

std::string list_text(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return "[" + text + "]";
}

}  // namespace

Validation DefinitionChecker::run(std::string_view definition) {
  if (definition.empty()) {
    report(kSchema, "Definition must be a valid JSON object", "");
    return finish();
  }
  json::value document;
  try {
    document = parse_definition_text(definition);
  } catch (const base::Error& error) {
    report("INVALID_JSON_DESCRIPTION", error.message(), "");
    return finish();
  }
  const auto* object = document.if_object();
  if (object == nullptr) {
    report(kSchema, "Definition must be a valid JSON object", "");
    return finish();
  }
  check_machine(*object);
  return finish();
}

void DefinitionChecker::report(std::string_view code, std::string message, std::string location,
                               Severity severity) {
  if (severity == Severity::warning && options_.least == Severity::error) return;
  if (result_.diagnostics.size() >= options_.max_results) {
    result_.truncated = true;
    result_.ok = result_.ok && severity != Severity::error;
    return;
  }
  if (severity == Severity::error) result_.ok = false;
  result_.diagnostics.push_back(
      {severity, std::string(code), std::move(message), std::move(location)});
}

void DefinitionChecker::check_known(const json::object& object, const Names& known,
                                    const std::string& at) {
  for (const auto& member : object) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
      report(kSchema, "Field '" + std::string(member.key()) + "' is not supported", at);
    }
  }
}

bool DefinitionChecker::require_fields(const json::object& object, const Names& wanted,
                                       const std::string& at) {
  Names missing;
  for (const std::string_view name : wanted) {
    if (!object.contains(name)) missing.push_back(name);
  }
  if (missing.empty()) return true;
  report(kSchema, "These fields are required: " + list_text(missing), at.empty() ? "/" : at);
  return false;
}

const json::value* DefinitionChecker::typed(const json::object& object, std::string_view key,
                                            Type type, const std::string& at) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return nullptr;
  struct Row {
    bool fits;
    std::string_view name;
  };
  const auto row = [&]() -> Row {
    switch (type) {
      case Type::text:
        return {value->is_string(), "STRING"};
      case Type::object:
        return {value->is_object(), "OBJECT"};
      case Type::list:
        return {value->is_array(), "ARRAY"};
      case Type::boolean:
        return {value->is_bool(), "BOOLEAN"};
      case Type::integer:
        return {value->is_int64(), "INTEGER"};
      case Type::number:
        return {value->is_number(), "NUMBER"};
    }
    return {false, ""};
  }();
  if (row.fits) return value;
  report(kSchema, "Expected value of type [" + std::string(row.name) + "]",
         at + "/" + std::string(key));
  return nullptr;
}

const json::value* DefinitionChecker::one_of(const json::object& object, std::string_view key,
                                             const Names& allowed, const std::string& at) {
  const auto* value = typed(object, key, Type::text, at);
  if (value == nullptr) return nullptr;
  if (std::ranges::find(allowed, std::string_view(value->get_string())) != allowed.end()) {
    return value;
  }
  report(
      kSchema,
      "The field '" + std::string(key) + "' should have one of these values: " + list_text(allowed),
      at + "/" + std::string(key));
  return nullptr;
}

void DefinitionChecker::check_range(std::int64_t value, std::int64_t least, std::int64_t most,
                                    const std::string& at) {
  if (value < least || value > most) {
    report(kSchema,
           "Value must be between " + std::to_string(least) + " and " + std::to_string(most), at);
  }
}

void DefinitionChecker::check_machine(const json::object& machine) {
  check_known(machine,
              {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}, "/");
  if (const auto* version = typed(machine, "Version", Type::text, "")) {
    if (version->get_string() != "1.0") {
      report(kSchema, "The field 'Version' should have one of these values: [1.0]", "/Version");
    }
  }
  (void)typed(machine, "Comment", Type::text, "");
  if (const auto* seconds = typed(machine, "TimeoutSeconds", Type::integer, "")) {
    check_range(seconds->get_int64(), 1, 99'999'999, "/TimeoutSeconds");
  }
  language_ = language_of(machine, QueryLanguage::json_path, "");
  check_flow(machine, "", 0);
}

QueryLanguage DefinitionChecker::language_of(const json::object& object, QueryLanguage inherited,
                                             const std::string& at) {
  const auto* value = object.if_contains("QueryLanguage");
  if (value == nullptr) return inherited;
  if (!value->is_string()) {
    report(kSchema, "Expected value of type [STRING]", at + "/QueryLanguage");
    return QueryLanguage::jsonata;
  }
  if (value->get_string() == "JSONPath") return QueryLanguage::json_path;
  if (value->get_string() != "JSONata") {
    report(kSchema, "Value should be one of the following: [JSONPath, JSONata]",
           at + "/QueryLanguage");
  }
  return QueryLanguage::jsonata;
}

void DefinitionChecker::check_flow(const json::object& flow, const std::string& at,
                                   std::size_t nesting) {
  if (nesting > kMaxFlowNesting) {
    report(kSchema, "States are nested deeper than 40 levels", at);
    return;
  }
  if (!require_fields(flow, {"States", "StartAt"}, at)) {
    if (!flow.contains("States")) return;
  }
  const auto* start = typed(flow, "StartAt", Type::text, at);
  const auto* states_value = typed(flow, "States", Type::object, at);
  if (states_value == nullptr) return;
  const json::object& states = states_value->get_object();
  if (states.empty()) {
    report(kSchema, "Object should have at least 1 member(s)", at + "/States");
    return;
  }
  const std::set<std::string> around = outer_variables_;
  const std::set<std::string> own = assigned_names(states);
  // Where each state may go on to; an end is "".
  std::map<std::string, std::set<std::string>> transitions;
  for (const auto& member : states) {
    const std::string name = member.key();
    const std::string place = at + "/States/" + name;
    if (name.empty() || count_code_points(name) > kMaxName) {
      report(kSchema, "State names must be 1 to 80 characters long", place);
    }
    if (!names_.insert(name).second) {
      report("DUPLICATE_STATE_NAME", "Duplicate State name: " + name, place);
    }
    const auto* state = member.value().if_object();
    if (state == nullptr) {
      report(kSchema, "Expected value of type [OBJECT]", place);
      continue;
    }
    targets_ = &transitions[name];
    check_assigned_names(*state, place);
    outer_variables_.insert(own.begin(), own.end());
    check_state(*state, place, states, nesting);
    outer_variables_ = around;
  }
  if (start != nullptr) check_reachable(std::string(start->get_string()), transitions, states, at);
}

std::set<std::string> DefinitionChecker::assigned_names(const json::object& states) {
  std::set<std::string> names;
  const auto collect = [&names](const json::value& holder) {
    const auto* object = holder.if_object();
    const auto* assign = object != nullptr ? object->if_contains("Assign") : nullptr;
    if (assign == nullptr || !assign->is_object()) return;
    for (const auto& member : assign->get_object()) {
      std::string_view name = member.key();
      if (name.ends_with(".$")) name.remove_suffix(2);
      names.emplace(name);
    }
  };
  for (const auto& member : states) {
    collect(member.value());
    for (const std::string_view key : {"Catch", "Choices"}) {
      const auto* state = member.value().if_object();
      const auto* list = state != nullptr ? state->if_contains(key) : nullptr;
      if (list == nullptr || !list->is_array()) continue;
      for (const auto& item : list->get_array()) collect(item);
    }
  }
  return names;
}

void DefinitionChecker::check_assigned_names(const json::object& state, const std::string& at) {
  for (const std::string& name : assigned_names(json::object{{"state", state}})) {
    if (!outer_variables_.contains(name)) continue;
    report(kSchema,
           "Variable '" + name +
               "' is assigned in an outer scope; a branch or an iteration cannot assign it",
           at);
  }
}

void DefinitionChecker::check_reachable(
    const std::string& start, const std::map<std::string, std::set<std::string>>& transitions,
    const json::object& states, const std::string& at) {
  if (!states.contains(start)) {
    report(kTarget, "Missing 'Next' target: " + start, at + "/StartAt");
    return;
  }
  std::set<std::string> reached = {start};
  std::vector<std::string> waiting = {start};
  bool ends = false;
  while (!waiting.empty()) {
    const std::string name = waiting.back();
    waiting.pop_back();
    const auto found = transitions.find(name);
    if (found == transitions.end()) continue;
    for (const std::string& next : found->second) {
      if (next.empty()) ends = true;
      if (!next.empty() && states.contains(next) && reached.insert(next).second) {
        waiting.push_back(next);
      }
    }
  }
  for (const auto& [name, targets] : transitions) {
    if (!reached.contains(name)) {
      report(kTarget, "State \"" + name + "\" is not reachable.", at + "/States/" + name);
    }
  }
  const bool anywhere =
      std::ranges::any_of(transitions, [](const auto& entry) { return entry.second.contains(""); });
  if (!ends && !anywhere) {
    report("MISSING_END_STATE", "No end state could be found for the state machine",
           at.empty() ? "/" : at);
  }
}

void DefinitionChecker::go_to(const json::object& object, std::string_view key,
                              const json::object& states, const std::string& at) {
  const auto* next = typed(object, key, Type::text, at);
  if (next == nullptr) return;
  const std::string target(next->get_string());
  targets_->insert(target);
  if (!states.contains(target)) {
    report(kTarget, "Missing 'Next' target: " + target, at + "/" + std::string(key));
  }
}

}  // namespace andon::asl
