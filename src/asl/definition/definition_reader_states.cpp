// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "asl/definition/definition_reader.hpp"
#include "asl/definition/state_fields.hpp"

namespace andon::asl {
namespace {

// In the order in which AWS lists them.
constexpr std::array<std::pair<std::string_view, StateType>, 8> kTypes = {{
    {"Task", StateType::task},
    {"Wait", StateType::wait},
    {"Pass", StateType::pass},
    {"Succeed", StateType::succeed},
    {"Fail", StateType::fail},
    {"Choice", StateType::choice},
    {"Parallel", StateType::parallel},
    {"Map", StateType::map},
}};

}  // namespace

void DefinitionReader::read_state(State& state, const json::object& source, const std::string& at,
                                  const json::object& states, std::size_t nesting) {
  if (!problems_.require_fields(source, {"Type"}, at)) return;
  Names types;
  for (const auto& [name, type] : kTypes) types.push_back(name);
  const std::string type = problems_.one_of(source, "Type", types, at);
  if (type.empty()) {
    targets_->insert("");
    return;
  }
  state.language = language_of(source, language_, at);
  const bool downgrade =
      language_ == QueryLanguage::jsonata && state.language == QueryLanguage::json_path;
  if (downgrade) {
    problems_.schema(
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at);
  }
  check_fields(source, type, state.language, at, downgrade);
  state.comment = problems_.text(source, "Comment", at);
  read_flow_end(state, source, type, states, at);
  const StateType kind =
      kTypes[static_cast<std::size_t>(std::ranges::find(types, type) - types.begin())].second;
  const bool has_result =
      kind == StateType::task || kind == StateType::parallel || kind == StateType::map;
  FieldReader fields(state.language, at, problems_);
  read_data_fields(state, source, fields, has_result);
  read_retriers(state, source, at);
  read_catchers(state, source, fields, states);
  state.kind = read_kind(state, kind, source, fields, states, nesting);
}

void DefinitionReader::check_fields(const json::object& source, const std::string& type,
                                    QueryLanguage language, const std::string& at, bool downgrade) {
  const Names known = state_fields(type);
  for (const auto& member : source) {
    const std::string_view key = member.key();
    const bool of_path = is_json_path_field(key, type);
    const bool of_jsonata = is_jsonata_field(key, type);
    if (!downgrade && language == QueryLanguage::jsonata && of_path) {
      problems_.schema("The QueryLanguage is set to 'JSONata', but field '" + std::string(key) +
                           "' is only supported for the 'JSONPath' QueryLanguage",
                       at);
    } else if (!downgrade && language == QueryLanguage::json_path && of_jsonata) {
      problems_.schema("The QueryLanguage is set to 'JSONPath', but field '" + std::string(key) +
                           "' is only supported for the 'JSONata' QueryLanguage",
                       at);
    } else if (std::ranges::find(known, key) == known.end()) {
      problems_.schema("Field '" + std::string(key) + "' is not supported", at);
    }
  }
}

void DefinitionReader::read_flow_end(State& state, const json::object& source,
                                     const std::string& type, const json::object& states,
                                     const std::string& at) {
  if (type == "Succeed" || type == "Fail") {
    targets_->insert("");
    return;
  }
  if (type == "Choice") return;
  const auto* end = problems_.typed(source, "End", Type::boolean, at);
  const bool ends = end != nullptr && end->get_bool();
  const bool goes_on = source.contains("Next");
  if (ends && goes_on) {
    problems_.schema("A state cannot have both 'Next' and 'End'", at);
  } else if (!ends && !goes_on) {
    problems_.schema("These fields are required: [Next]", at);
    targets_->insert("");
  }
  if (ends) targets_->insert("");
  state.next = go_to(source, "Next", states, at);
}

void DefinitionReader::read_data_fields(State& state, const json::object& source,
                                        FieldReader& fields, bool has_result) {
  const auto after = has_result ? FieldReader::Place::after_result : FieldReader::Place::plain;
  if (fields.jsonata()) {
    state.parameters = fields.payload(source, "Arguments");
    state.output = fields.payload(source, "Output", after);
  } else {
    state.input_path = fields.data_path(source, "InputPath");
    state.output_path = fields.data_path(source, "OutputPath");
    state.result_path = fields.data_path(source, "ResultPath");
    state.parameters = fields.payload(source, "Parameters");
    state.result_selector = fields.payload(source, "ResultSelector");
  }
  state.assign = fields.assignments(source, after);
}

std::vector<std::string> DefinitionReader::read_error_names(const json::object& object, bool last,
                                                            const std::string& at) {
  std::vector<std::string> errors;
  if (!problems_.require_fields(object, {"ErrorEquals"}, at)) return errors;
  const auto* names = problems_.typed(object, "ErrorEquals", Type::list, at);
  if (names == nullptr) return errors;
  const std::string place = at + "/ErrorEquals";
  const json::array& list = names->get_array();
  if (list.empty()) problems_.schema("Array should have at least 1 item(s)", place);
  for (const auto& name : list) {
    if (!name.is_string()) {
      problems_.schema("Expected value of type [STRING]", place);
      continue;
    }
    errors.emplace_back(name.get_string());
    if (errors.back() == "States.ALL" && (list.size() > 1 || !last)) {
      problems_.schema(list.size() > 1 ? "'States.ALL' must appear alone in 'ErrorEquals'"
                                       : "'States.ALL' must appear only in the last element",
                       place);
    }
  }
  return errors;
}

void DefinitionReader::read_retriers(State& state, const json::object& source,
                                     const std::string& at) {
  const auto* retry = problems_.typed(source, "Retry", Type::list, at);
  if (retry == nullptr) return;
  const json::array& list = retry->get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = at + "/Retry[" + std::to_string(i) + "]";
    if (const auto* retrier = list[i].if_object()) {
      state.retry.push_back(read_retrier(*retrier, i + 1 == list.size(), place));
    } else {
      problems_.schema("Expected value of type [OBJECT]", place);
    }
  }
}

Retrier DefinitionReader::read_retrier(const json::object& source, bool last,
                                       const std::string& at) {
  problems_.check_known(source,
                        {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate",
                         "MaxDelaySeconds", "JitterStrategy", "Comment"},
                        at);
  Retrier retrier;
  retrier.errors = read_error_names(source, last, at);
  constexpr std::int64_t kMost = 99'999'999;
  const auto integer = [&](std::string_view key, std::int64_t fallback, std::int64_t least,
                           std::int64_t most) {
    const auto* value = problems_.typed(source, key, Type::integer, at);
    if (value == nullptr) return fallback;
    problems_.check_range(value->get_int64(), least, most, at + "/" + std::string(key));
    return value->get_int64();
  };
  retrier.interval_seconds = integer("IntervalSeconds", 1, 1, kMost);
  retrier.max_attempts = integer("MaxAttempts", 3, 0, kMost);
  if (const auto* rate = problems_.typed(source, "BackoffRate", Type::number, at)) {
    retrier.backoff_rate = rate->to_number<double>();
    if (retrier.backoff_rate < 1) {
      problems_.schema("Value must be greater than or equal to 1.0", at + "/BackoffRate");
    }
  }
  if (source.contains("MaxDelaySeconds")) {
    const std::int64_t least = std::min(retrier.interval_seconds, kMost) + 1;
    retrier.max_delay_seconds = integer("MaxDelaySeconds", 0, least, 31'622'399);
  }
  retrier.full_jitter = problems_.one_of(source, "JitterStrategy", {"NONE", "FULL"}, at) == "FULL";
  return retrier;
}

void DefinitionReader::read_catchers(State& state, const json::object& source, FieldReader& fields,
                                     const json::object& states) {
  const auto* catches = problems_.typed(source, "Catch", Type::list, fields.at());
  if (catches == nullptr) return;
  const json::array& list = catches->get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string item = field_item("Catch", i);
    const std::string place = fields.at() + "/" + item;
    const auto* object = list[i].if_object();
    if (object == nullptr) {
      problems_.schema("Expected value of type [OBJECT]", place);
      continue;
    }
    problems_.check_known(
        *object,
        {"ErrorEquals", "Next", fields.jsonata() ? "Output" : "ResultPath", "Assign", "Comment"},
        place);
    Catcher& catcher = state.catches.emplace_back();
    catcher.errors = read_error_names(*object, i + 1 == list.size(), place);
    (void)problems_.require_fields(*object, {"Next"}, place);
    catcher.next = go_to(*object, "Next", states, place);
    const std::string prefix = item + "/";
    catcher.assign = fields.assignments(*object, FieldReader::Place::in_catch, prefix);
    if (fields.jsonata()) {
      catcher.output = fields.payload(*object, "Output", FieldReader::Place::in_catch, prefix);
    } else {
      catcher.result_path = fields.data_path(*object, "ResultPath", prefix);
    }
  }
}

}  // namespace andon::asl
