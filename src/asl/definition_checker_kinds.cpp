// SPDX-License-Identifier: Apache-2.0
#include "asl/definition_checker.hpp"

#include <algorithm>

#include "asl/utf8.hpp"

namespace andon::asl {
namespace {

constexpr std::string_view kSchema = "SCHEMA_VALIDATION_FAILED";

}  // namespace

void DefinitionChecker::check_task(const json::object& state, const std::string& at) {
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

void DefinitionChecker::check_parallel(const json::object& state, const std::string& at,
                                       std::size_t nesting) {
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

void DefinitionChecker::check_map(const json::object& state, QueryLanguage language,
                                  const std::string& at, std::size_t nesting) {
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
      const auto* mode = one_of(config->get_object(), "Mode", {"INLINE", "DISTRIBUTED"}, config_at);
      distributed = mode != nullptr && mode->get_string() == "DISTRIBUTED";
      (void)one_of(config->get_object(), "ExecutionType", {"STANDARD", "EXPRESS"}, config_at);
      if (distributed) (void)require_fields(config->get_object(), {"ExecutionType"}, config_at);
    }
    std::set<std::string>* const own = targets_;
    const std::set<std::string> around = outer_variables_;
    if (distributed) outer_variables_.clear();  // its children are executions of their own
    check_flow(processor, place, nesting + 1);
    outer_variables_ = around;
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

void DefinitionChecker::check_item_reader(const json::object& reader, std::string_view parameters,
                                          const std::string& at) {
  check_known(reader, {"Resource", "ReaderConfig", parameters}, at);
  (void)require_fields(reader, {"Resource"}, at);
  if (const auto* resource = typed(reader, "Resource", Type::text, at)) {
    const std::string_view arn = resource->get_string();
    if (!arn.ends_with(":s3:getObject") && !arn.ends_with(":s3:listObjectsV2")) {
      report(kSchema,
             "The field 'Resource' does not match any of the allowed values. Examples: "
             "[arn:<partition>:states:::s3:getObject, "
             "arn:<partition>:states:::s3:listObjectsV2]",
             at + "/Resource");
    }
  }
  const auto* config_value = typed(reader, "ReaderConfig", Type::object, at);
  if (config_value == nullptr) return;
  const json::object& config = config_value->get_object();
  const std::string place = at + "/ReaderConfig";
  check_known(config,
              {"InputType", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "MaxItems",
               "MaxItemsPath", "Transformation", "ItemsPointer", "ManifestType"},
              place);
  (void)one_of(config, "InputType", {"MANIFEST", "JSON", "CSV", "JSONL", "PARQUET"}, place);
  (void)one_of(config, "CSVDelimiter", {"COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"}, place);
  (void)one_of(config, "Transformation", {"NONE", "LOAD_AND_FLATTEN"}, place);
  (void)typed(config, "ItemsPointer", Type::text, place);
  const auto* headers = typed(config, "CSVHeaders", Type::list, place);
  const auto* location = one_of(config, "CSVHeaderLocation", {"FIRST_ROW", "GIVEN"}, place);
  if (location != nullptr && location->get_string() == "GIVEN" && headers == nullptr) {
    (void)require_fields(config, {"CSVHeaders"}, place);
  }
}

void DefinitionChecker::check_map_parts(const json::object& state, QueryLanguage language,
                                        const std::string& at) {
  const bool jsonata = language == QueryLanguage::jsonata;
  const std::string_view parameters = jsonata ? "Arguments" : "Parameters";
  if (const auto* reader = typed(state, "ItemReader", Type::object, at)) {
    check_item_reader(reader->get_object(), parameters, at + "/ItemReader");
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
    if (const auto* config = typed(writer->get_object(), "WriterConfig", Type::object, place)) {
      const std::string config_at = place + "/WriterConfig";
      check_known(config->get_object(), {"OutputType", "Transformation"}, config_at);
      (void)one_of(config->get_object(), "OutputType", {"JSON", "JSONL"}, config_at);
      (void)one_of(config->get_object(), "Transformation", {"NONE", "COMPACT", "FLATTEN"},
                   config_at);
    }
    (void)typed(writer->get_object(), "Resource", Type::text, place);
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

}  // namespace andon::asl
