// SPDX-License-Identifier: Apache-2.0
#include "asl/definition_checker.hpp"

#include <algorithm>

#include "asl/validator_fields.hpp"

namespace andon::asl {
namespace {

constexpr std::string_view kSchema = "SCHEMA_VALIDATION_FAILED";

}  // namespace

void DefinitionChecker::check_state(const json::object& state, const std::string& at,
                                    const json::object& states, std::size_t nesting) {
  if (!require_fields(state, {"Type"}, at)) return;
  const Names types = {"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"};
  const auto* type_value = one_of(state, "Type", types, at);
  if (type_value == nullptr) {
    targets_->insert("");
    return;
  }
  const std::string type(type_value->get_string());
  const QueryLanguage language = language_of(state, language_, at);
  const bool downgrade =
      language_ == QueryLanguage::jsonata && language == QueryLanguage::json_path;
  if (downgrade) {
    report(kSchema,
           "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at);
  }
  check_fields(state, type, language, at, downgrade);
  check_flow_end(state, type, states, at);
  FieldChecker fields(language, at, [this](const FieldProblem& problem) {
    report(problem.code, problem.message, problem.location, problem.severity);
  });
  fields.check_state(state, type);
  check_catchers(state, language, states, at);
  if (type == "Choice") check_choices(state, language, states, at);
  if (type == "Task") check_task(state, at);
  if (type == "Parallel") check_parallel(state, at, nesting);
  if (type == "Map") check_map(state, language, at, nesting);
}

void DefinitionChecker::check_fields(const json::object& state, const std::string& type,
                                     QueryLanguage language, const std::string& at,
                                     bool downgrade) {
  const Names known = state_fields(type);
  for (const auto& member : state) {
    const std::string_view key = member.key();
    const bool of_path = is_json_path_field(key, type);
    const bool of_jsonata = is_jsonata_field(key, type);
    if (!downgrade && language == QueryLanguage::jsonata && of_path) {
      report(kSchema,
             "The QueryLanguage is set to 'JSONata', but field '" + std::string(key) +
                 "' is only supported for the 'JSONPath' QueryLanguage",
             at);
    } else if (!downgrade && language == QueryLanguage::json_path && of_jsonata) {
      report(kSchema,
             "The QueryLanguage is set to 'JSONPath', but field '" + std::string(key) +
                 "' is only supported for the 'JSONata' QueryLanguage",
             at);
    } else if (std::ranges::find(known, key) == known.end()) {
      report(kSchema, "Field '" + std::string(key) + "' is not supported", at);
    }
  }
  (void)typed(state, "Comment", Type::text, at);
}

void DefinitionChecker::check_flow_end(const json::object& state, const std::string& type,
                                       const json::object& states, const std::string& at) {
  if (type == "Succeed" || type == "Fail") {
    targets_->insert("");
    return;
  }
  if (type == "Choice") return;
  const auto* end = typed(state, "End", Type::boolean, at);
  const bool ends = end != nullptr && end->get_bool();
  const bool goes_on = state.contains("Next");
  if (ends && goes_on) {
    report(kSchema, "A state cannot have both 'Next' and 'End'", at);
  } else if (!ends && !goes_on) {
    report(kSchema, "These fields are required: [Next]", at);
    targets_->insert("");
  }
  if (ends) targets_->insert("");
  go_to(state, "Next", states, at);
}

void DefinitionChecker::check_error_names(const json::object& object, bool last,
                                          const std::string& at) {
  if (!require_fields(object, {"ErrorEquals"}, at)) return;
  const auto* names = typed(object, "ErrorEquals", Type::list, at);
  if (names == nullptr) return;
  const json::array& list = names->get_array();
  if (list.empty()) {
    report(kSchema, "Array should have at least 1 item(s)", at + "/ErrorEquals");
  }
  for (const auto& name : list) {
    if (!name.is_string()) {
      report(kSchema, "Expected value of type [STRING]", at + "/ErrorEquals");
      continue;
    }
    if (name.get_string() == "States.ALL" && (list.size() > 1 || !last)) {
      report(kSchema,
             list.size() > 1 ? "'States.ALL' must appear alone in 'ErrorEquals'"
                             : "'States.ALL' must appear only in the last element",
             at + "/ErrorEquals");
    }
  }
}

void DefinitionChecker::check_catchers(const json::object& state, QueryLanguage language,
                                       const json::object& states, const std::string& at) {
  if (const auto* retry = typed(state, "Retry", Type::list, at)) {
    const json::array& list = retry->get_array();
    for (std::size_t i = 0; i < list.size(); ++i) {
      check_retrier(list[i], i + 1 == list.size(), at + "/Retry[" + std::to_string(i) + "]");
    }
  }
  const auto* catches = typed(state, "Catch", Type::list, at);
  if (catches == nullptr) return;
  const json::array& list = catches->get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = at + "/Catch[" + std::to_string(i) + "]";
    const auto* catcher = list[i].if_object();
    if (catcher == nullptr) {
      report(kSchema, "Expected value of type [OBJECT]", place);
      continue;
    }
    const bool jsonata = language == QueryLanguage::jsonata;
    check_known(*catcher,
                {"ErrorEquals", "Next", jsonata ? "Output" : "ResultPath", "Assign", "Comment"},
                place);
    check_error_names(*catcher, i + 1 == list.size(), place);
    (void)require_fields(*catcher, {"Next"}, place);
    go_to(*catcher, "Next", states, place);
  }
}

void DefinitionChecker::check_retrier(const json::value& value, bool last, const std::string& at) {
  const auto* retrier = value.if_object();
  if (retrier == nullptr) {
    report(kSchema, "Expected value of type [OBJECT]", at);
    return;
  }
  check_known(*retrier,
              {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds",
               "JitterStrategy", "Comment"},
              at);
  check_error_names(*retrier, last, at);
  constexpr std::int64_t kMost = 99'999'999;
  std::int64_t interval = 1;
  if (const auto* seconds = typed(*retrier, "IntervalSeconds", Type::integer, at)) {
    interval = seconds->get_int64();
    check_range(interval, 1, kMost, at + "/IntervalSeconds");
  }
  if (const auto* attempts = typed(*retrier, "MaxAttempts", Type::integer, at)) {
    check_range(attempts->get_int64(), 0, kMost, at + "/MaxAttempts");
  }
  if (const auto* rate = typed(*retrier, "BackoffRate", Type::number, at)) {
    if (rate->to_number<double>() < 1) {
      report(kSchema, "Value must be greater than or equal to 1.0", at + "/BackoffRate");
    }
  }
  if (const auto* delay = typed(*retrier, "MaxDelaySeconds", Type::integer, at)) {
    check_range(delay->get_int64(), interval + 1, 31'622'399, at + "/MaxDelaySeconds");
  }
  (void)one_of(*retrier, "JitterStrategy", {"NONE", "FULL"}, at);
}

}  // namespace andon::asl
