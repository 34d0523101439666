// SPDX-License-Identifier: Apache-2.0
#include "asl/validator.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "asl/choice.hpp"
#include "asl/time_text.hpp"
#include "asl/utf8.hpp"
#include "asl/validator_fields.hpp"
#include "base/error.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxDefinition = 1U << 20U;
constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxFlowNesting = 40;
constexpr std::size_t kMaxName = 80;

constexpr std::string_view kSchema = "SCHEMA_VALIDATION_FAILED";
constexpr std::string_view kTarget = "MISSING_TRANSITION_TARGET";

using Names = std::vector<std::string_view>;

std::string list_text(const Names& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return "[" + text + "]";
}

class Validator {
 public:
  explicit Validator(const ValidationOptions& options) : options_(options) {}

  Validation run(std::string_view definition) {
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

 private:
  // --- reports ---------------------------------------------------------------------------------

  void report(std::string_view code, std::string message, std::string location,
              Severity severity = Severity::error) {
    if (result_.diagnostics.size() >= options_.max_results) {
      result_.truncated = true;
      result_.ok = result_.ok && severity != Severity::error;
      return;
    }
    if (severity == Severity::error) result_.ok = false;
    result_.diagnostics.push_back(
        {severity, std::string(code), std::move(message), std::move(location)});
  }
  Validation finish() { return std::move(result_); }

  void check_known(const json::object& object, const Names& known, const std::string& at) {
    for (const auto& member : object) {
      if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
        report(kSchema, "Field '" + std::string(member.key()) + "' is not supported", at);
      }
    }
  }

  bool require_fields(const json::object& object, const Names& wanted, const std::string& at) {
    Names missing;
    for (const std::string_view name : wanted) {
      if (!object.contains(name)) missing.push_back(name);
    }
    if (missing.empty()) return true;
    report(kSchema, "These fields are required: " + list_text(missing), at.empty() ? "/" : at);
    return false;
  }

  enum class Type { text, object, list, boolean, integer, number };

  // The member, where it is there and of that type; a wrong type is reported.
  const json::value* typed(const json::object& object, std::string_view key, Type type,
                           const std::string& at) {
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

  const json::value* one_of(const json::object& object, std::string_view key, const Names& allowed,
                            const std::string& at) {
    const auto* value = typed(object, key, Type::text, at);
    if (value == nullptr) return nullptr;
    if (std::ranges::find(allowed, std::string_view(value->get_string())) != allowed.end()) {
      return value;
    }
    report(kSchema,
           "The field '" + std::string(key) +
               "' should have one of these values: " + list_text(allowed),
           at + "/" + std::string(key));
    return nullptr;
  }

  // --- flows -----------------------------------------------------------------------------------

  void check_machine(const json::object& machine) {
    check_known(machine,
                {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"},
                "/");
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

  QueryLanguage language_of(const json::object& object, QueryLanguage inherited,
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

  void check_flow(const json::object& flow, const std::string& at, std::size_t nesting) {
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
      check_state(*state, place, states, nesting);
    }
    if (start != nullptr)
      check_reachable(std::string(start->get_string()), transitions, states, at);
  }

  void check_reachable(const std::string& start,
                       const std::map<std::string, std::set<std::string>>& transitions,
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
    const bool anywhere = std::ranges::any_of(
        transitions, [](const auto& entry) { return entry.second.contains(""); });
    if (!ends && !anywhere) {
      report("MISSING_END_STATE", "No end state could be found for the state machine",
             at.empty() ? "/" : at);
    }
  }

  void go_to(const json::object& object, std::string_view key, const json::object& states,
             const std::string& at) {
    const auto* next = typed(object, key, Type::text, at);
    if (next == nullptr) return;
    const std::string target(next->get_string());
    targets_->insert(target);
    if (!states.contains(target)) {
      report(kTarget, "Missing 'Next' target: " + target, at + "/" + std::string(key));
    }
  }

  // --- states ----------------------------------------------------------------------------------

  void check_state(const json::object& state, const std::string& at, const json::object& states,
                   std::size_t nesting) {
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
             "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
             at);
    }
    check_fields(state, type, language, at, downgrade);
    check_flow_end(state, type, states, at);
    FieldChecker fields(language, at, [this](const FieldProblem& problem) {
      report(problem.code, problem.message, problem.location);
    });
    fields.check_state(state, type);
    check_catchers(state, language, states, at);
    if (type == "Choice") check_choices(state, language, states, at);
    if (type == "Task") check_task(state, at);
    if (type == "Parallel") check_parallel(state, at, nesting);
    if (type == "Map") check_map(state, language, at, nesting);
  }

  void check_fields(const json::object& state, const std::string& type, QueryLanguage language,
                    const std::string& at, bool downgrade) {
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

  void check_flow_end(const json::object& state, const std::string& type,
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

  void check_range(std::int64_t value, std::int64_t least, std::int64_t most,
                   const std::string& at) {
    if (value < least || value > most) {
      report(kSchema,
             "Value must be between " + std::to_string(least) + " and " + std::to_string(most), at);
    }
  }

  void check_error_names(const json::object& object, bool last, const std::string& at) {
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

  void check_catchers(const json::object& state, QueryLanguage language, const json::object& states,
                      const std::string& at) {
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

  void check_retrier(const json::value& value, bool last, const std::string& at) {
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

  // --- kinds of states -------------------------------------------------------------------------

  void check_task(const json::object& state, const std::string& at) {
    if (!require_fields(state, {"Resource"}, at)) return;
    const auto* resource = typed(state, "Resource", Type::text, at);
    if (resource == nullptr) return;
    const std::string_view arn = resource->get_string();
    const bool shaped = arn.starts_with("arn:") && std::ranges::count(arn, ':') >= 5;
    if (!shaped) {
      report(kSchema, "Value is not a valid resource ARN", at + "/Resource");
    }
    if (!options_.express) return;
    for (const std::string_view pattern : {".waitForTaskToken", ".sync"}) {
      if (arn.find(pattern) != std::string_view::npos) {
        report(kSchema,
               "Express state machine does not support '" + std::string(pattern) +
                   "' service integration ",
               at + "/Resource");
      }
    }
    if (arn.find(":activity:") != std::string_view::npos) {
      report(kSchema, "Express state machine does not support Activity ARN", at + "/Resource");
    }
  }

  void check_parallel(const json::object& state, const std::string& at, std::size_t nesting) {
    if (!require_fields(state, {"Branches"}, at)) return;
    const auto* branches = typed(state, "Branches", Type::list, at);
    if (branches == nullptr) return;
    const json::array& list = branches->get_array();
    if (list.empty()) report(kSchema, "Array should have at least 1 item(s)", at + "/Branches");
    std::set<std::string>* const own = targets_;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string place = at + "/Branches[" + std::to_string(i) + "]";
      if (const auto* branch = list[i].if_object()) {
        check_known(*branch, {"Comment", "StartAt", "States"}, place);
        check_flow(*branch, place, nesting + 1);
      } else {
        report(kSchema, "Expected value of type [OBJECT]", place);
      }
    }
    targets_ = own;
  }

  void check_map(const json::object& state, QueryLanguage language, const std::string& at,
                 std::size_t nesting) {
    const bool has_both = state.contains("ItemProcessor") && state.contains("Iterator");
    if (has_both) report(kSchema, "Only one of 'ItemProcessor' and 'Iterator' may be used", at);
    const std::string key =
        state.contains("Iterator") ? std::string("Iterator") : std::string("ItemProcessor");
    if (!require_fields(state, {std::string_view(key)}, at)) return;
    const auto* processor_value = typed(state, key, Type::object, at);
    bool distributed = false;
    if (processor_value != nullptr) {
      const json::object& processor = processor_value->get_object();
      const std::string place = at + "/" + key;
      check_known(processor, {"Comment", "StartAt", "States", "ProcessorConfig"}, place);
      if (const auto* config = typed(processor, "ProcessorConfig", Type::object, place)) {
        const std::string config_at = place + "/ProcessorConfig";
        check_known(config->get_object(), {"Mode", "ExecutionType"}, config_at);
        const auto* mode =
            one_of(config->get_object(), "Mode", {"INLINE", "DISTRIBUTED"}, config_at);
        distributed = mode != nullptr && mode->get_string() == "DISTRIBUTED";
        (void)one_of(config->get_object(), "ExecutionType", {"STANDARD", "EXPRESS"}, config_at);
        if (distributed) (void)require_fields(config->get_object(), {"ExecutionType"}, config_at);
      }
      std::set<std::string>* const own = targets_;
      check_flow(processor, place, nesting + 1);
      targets_ = own;
    }
    for (const std::string_view only_distributed :
         {"ItemReader", "ItemBatcher", "ResultWriter", "Label", "ToleratedFailureCount",
          "ToleratedFailureCountPath", "ToleratedFailurePercentage",
          "ToleratedFailurePercentagePath"}) {
      if (!distributed && state.contains(only_distributed)) {
        report(kSchema,
               "Field '" + std::string(only_distributed) +
                   "' is only supported for Map states in DISTRIBUTED mode",
               at);
      }
    }
    check_map_parts(state, language, at);
  }

  void check_map_parts(const json::object& state, QueryLanguage language, const std::string& at) {
    const bool jsonata = language == QueryLanguage::jsonata;
    const std::string_view parameters = jsonata ? "Arguments" : "Parameters";
    if (const auto* reader = typed(state, "ItemReader", Type::object, at)) {
      const std::string place = at + "/ItemReader";
      check_known(reader->get_object(), {"Resource", "ReaderConfig", parameters}, place);
      (void)require_fields(reader->get_object(), {"Resource"}, place);
      if (const auto* resource = typed(reader->get_object(), "Resource", Type::text, place)) {
        const std::string_view arn = resource->get_string();
        if (!arn.ends_with(":s3:getObject") && !arn.ends_with(":s3:listObjectsV2")) {
          report(kSchema,
                 "The field 'Resource' does not match any of the allowed values. Examples: "
                 "[arn:<partition>:states:::s3:getObject, "
                 "arn:<partition>:states:::s3:listObjectsV2]",
                 place + "/Resource");
        }
      }
      if (const auto* config = typed(reader->get_object(), "ReaderConfig", Type::object, place)) {
        (void)one_of(config->get_object(), "InputType",
                     {"MANIFEST", "JSON", "CSV", "JSONL", "PARQUET"}, place + "/ReaderConfig");
        (void)one_of(config->get_object(), "CSVHeaderLocation", {"FIRST_ROW", "GIVEN"},
                     place + "/ReaderConfig");
        (void)one_of(config->get_object(), "CSVDelimiter",
                     {"COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"}, place + "/ReaderConfig");
      }
    }
    if (const auto* batcher = typed(state, "ItemBatcher", Type::object, at)) {
      check_known(batcher->get_object(),
                  {"MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch",
                   "MaxInputBytesPerBatchPath", "BatchInput"},
                  at + "/ItemBatcher");
    }
    if (const auto* writer = typed(state, "ResultWriter", Type::object, at)) {
      const std::string place = at + "/ResultWriter";
      check_known(writer->get_object(), {"Resource", "WriterConfig", parameters}, place);
      if (!writer->get_object().contains("Resource") &&
          !writer->get_object().contains("WriterConfig")) {
        (void)require_fields(writer->get_object(), {"Resource"}, place);
      }
    }
    if (const auto* label = typed(state, "Label", Type::text, at)) {
      constexpr std::string_view kForbidden = " ?*<>{}[]:;,\\|^~$#%&`\"/";
      const std::string_view text = label->get_string();
      if (text.empty() || count_code_points(text) > 40 ||
          text.find_first_of(kForbidden) != std::string_view::npos) {
        report(kSchema,
               "Label must be 1 to 40 characters long and must not contain whitespace or any of "
               "? * < > { } [ ] : ; , \\ | ^ ~ $ # % & ` \" /",
               at + "/Label");
      }
    }
  }

  void check_choices(const json::object& state, QueryLanguage language, const json::object& states,
                     const std::string& at) {
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

  void check_rule(const json::object& rule, const std::string& at, bool top, std::size_t depth) {
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

  void check_nested(const json::value& value, const std::string& at, std::size_t depth) {
    if (const auto* rule = value.if_object()) {
      check_rule(*rule, at, false, depth + 1);
    } else {
      report(kSchema, "Expected value of type [OBJECT]", at);
    }
  }

  void check_operation(const json::object& rule, const std::string& key, const json::value& operand,
                       const std::string& at) {
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

  ValidationOptions options_;
  Validation result_;
  QueryLanguage language_ = QueryLanguage::json_path;
  std::set<std::string> names_;
  std::set<std::string>* targets_ = nullptr;  // of the state being checked
};

}  // namespace

json::value parse_definition_text(std::string_view definition) {
  return base::parse_json(definition, "the state machine definition",
                          {.max_bytes = kMaxDefinition, .max_depth = kMaxDepth});
}

Validation validate_definition(std::string_view definition, const ValidationOptions& options) {
  return Validator(options).run(definition);
}

json::value to_json(const Validation& validation) {
  json::array diagnostics;
  for (const Diagnostic& problem : validation.diagnostics) {
    json::object row{{"severity", problem.severity == Severity::error ? "ERROR" : "WARNING"},
                     {"code", problem.code},
                     {"message", problem.message}};
    if (!problem.location.empty()) row["location"] = problem.location;
    diagnostics.push_back(std::move(row));
  }
  return json::object{{"result", validation.ok ? "OK" : "FAIL"},
                      {"diagnostics", std::move(diagnostics)},
                      {"truncated", validation.truncated}};
}

}  // namespace andon::asl
