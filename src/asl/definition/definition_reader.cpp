// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/definition_reader.hpp"

#include <algorithm>

#include "asl/definition/repeated_names.hpp"
#include "base/error/error.hpp"
#include "query/document/utf8.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxFlowNesting = 40;
constexpr std::size_t kMaxName = 80;
constexpr std::string_view kTarget = "MISSING_TRANSITION_TARGET";

}  // namespace

Definition DefinitionReader::read(std::string_view definition) {
  StateMachine machine;
  read_document(definition, machine);
  Definition result;
  result.validation = problems_.take();
  if (result.validation.ok) {
    machine.flows_ = std::move(flows_);
    result.machine = std::move(machine);
  }
  return result;
}

void DefinitionReader::read_document(std::string_view definition, StateMachine& machine) {
  json::value document;
  try {
    if (!definition.empty()) document = parse_definition_text(definition);
  } catch (const base::Error& error) {
    problems_.report("INVALID_JSON_DESCRIPTION", error.message(), "");
    return;
  }
  if (const auto* object = document.if_object()) {
    for (const RepeatedName& repeated : repeated_state_names(definition)) {
      problems_.report("DUPLICATE_STATE_NAME", "Duplicate State name: " + repeated.name,
                       repeated.location);
    }
    read_machine(*object, machine);
  } else {
    problems_.schema("Definition must be a valid JSON object", "");
  }
}

void DefinitionReader::read_machine(const json::object& source, StateMachine& machine) {
  problems_.check_known(
      source, {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}, "/");
  (void)problems_.one_of(source, "Version", {"1.0"}, "");
  machine.comment_ = problems_.text(source, "Comment", "");
  if (const auto* seconds = problems_.typed(source, "TimeoutSeconds", Type::integer, "")) {
    problems_.check_range(seconds->get_int64(), 1, 99'999'999, "/TimeoutSeconds");
    machine.timeout_seconds_ = seconds->get_int64();
  }
  language_ = language_of(source, QueryLanguage::json_path, "");
  (void)read_flow(source, "", 0);
}

QueryLanguage DefinitionReader::language_of(const json::object& object, QueryLanguage inherited,
                                            const std::string& at) {
  const auto* value = object.if_contains("QueryLanguage");
  if (value == nullptr) return inherited;
  if (!value->is_string()) {
    problems_.schema("Expected value of type [STRING]", at + "/QueryLanguage");
    return QueryLanguage::jsonata;
  }
  if (value->get_string() == "JSONPath") return QueryLanguage::json_path;
  if (value->get_string() != "JSONata") {
    problems_.schema("Value should be one of the following: [JSONPath, JSONata]",
                     at + "/QueryLanguage");
  }
  return QueryLanguage::jsonata;
}

std::size_t DefinitionReader::read_flow(const json::object& source, const std::string& at,
                                        std::size_t nesting) {
  const std::size_t number = flows_.size();
  flows_.emplace_back();
  if (nesting > kMaxFlowNesting) {
    problems_.schema("States are nested deeper than 40 levels", at);
    return number;
  }
  if (!problems_.require_fields(source, {"States", "StartAt"}, at) && !source.contains("States")) {
    return number;
  }
  auto flow = std::make_unique<Flow>();
  flow->number = number;
  const auto* start = problems_.typed(source, "StartAt", Type::text, at);
  if (start != nullptr) flow->start_at = start->get_string();
  const auto* states = problems_.typed(source, "States", Type::object, at);
  if (states != nullptr && states->get_object().empty()) {
    problems_.schema("Object should have at least 1 member(s)", at + "/States");
  } else if (states != nullptr) {
    const Transitions transitions = read_states(*flow, states->get_object(), at, nesting);
    if (start != nullptr) check_reachable(flow->start_at, transitions, states->get_object(), at);
  }
  flows_[number] = std::move(flow);
  return number;
}

DefinitionReader::Transitions DefinitionReader::read_states(Flow& flow, const json::object& states,
                                                            const std::string& at,
                                                            std::size_t nesting) {
  const std::set<std::string> around = outer_variables_;
  const std::set<std::string> own = assigned_names(states);
  Transitions transitions;
  for (const auto& member : states) {
    const std::string name = member.key();
    const std::string place = at + "/States/" + name;
    if (name.empty() || query::count_code_points(name) > kMaxName) {
      problems_.schema("State names must be 1 to 80 characters long", place);
    }
    if (!names_.insert(name).second) {
      problems_.report("DUPLICATE_STATE_NAME", "Duplicate State name: " + name, place);
    }
    const auto* source = member.value().if_object();
    if (source == nullptr) {
      problems_.schema("Expected value of type [OBJECT]", place);
      continue;
    }
    targets_ = &transitions[name];
    check_assigned_names(*source, place);
    outer_variables_.insert(own.begin(), own.end());
    flow.places[name] = flow.states.size();
    State& state = flow.states.emplace_back();
    state.name = name;
    read_state(state, *source, place, states, nesting);
    outer_variables_ = around;
  }
  return transitions;
}

std::set<std::string> DefinitionReader::assigned_names(const json::object& states) {
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

void DefinitionReader::check_assigned_names(const json::object& state, const std::string& at) {
  for (const std::string& name : assigned_names(json::object{{"state", state}})) {
    if (!outer_variables_.contains(name)) continue;
    problems_.schema(
        "Variable '" + name +
            "' is assigned in an outer scope; a branch or an iteration cannot assign it",
        at);
  }
}

void DefinitionReader::check_reachable(const std::string& start, const Transitions& transitions,
                                       const json::object& states, const std::string& at) {
  if (!states.contains(start)) {
    problems_.report(kTarget, "Missing 'Next' target: " + start, at + "/StartAt");
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
      problems_.report(kTarget, "State \"" + name + "\" is not reachable.", at + "/States/" + name);
    }
  }
  const bool anywhere =
      std::ranges::any_of(transitions, [](const auto& entry) { return entry.second.contains(""); });
  if (!ends && !anywhere) {
    problems_.report("MISSING_END_STATE", "No end state could be found for the state machine",
                     at.empty() ? "/" : at);
  }
}

std::string DefinitionReader::go_to(const json::object& object, std::string_view key,
                                    const json::object& states, const std::string& at) {
  const auto* next = problems_.typed(object, key, Type::text, at);
  if (next == nullptr) return "";
  std::string target(next->get_string());
  targets_->insert(target);
  if (!states.contains(target)) {
    problems_.report(kTarget, "Missing 'Next' target: " + target, at + "/" + std::string(key));
  }
  return target;
}

}  // namespace andon::asl
