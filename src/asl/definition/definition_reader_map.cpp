// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "asl/definition/definition_reader.hpp"
#include "query/document/utf8.hpp"

namespace andon::asl {

MapState DefinitionReader::read_map(State& state, const json::object& source, FieldReader& fields,
                                    std::size_t nesting) {
  MapState map;
  const std::string& at = fields.at();
  map.items_path = fields.path(source, "ItemsPath", FieldReader::PathKind::any);
  map.selector = fields.payload(source, "ItemSelector");
  if (map.selector && state.parameters) {
    problems_.schema("Only one of 'ItemSelector' and 'Parameters' may be used", at);
  }
  if (!map.selector) map.selector = std::exchange(state.parameters, std::nullopt);
  map.items = fields.payload(source, "Items");
  map.max_concurrency = fields.number(source, "MaxConcurrency", {});
  map.tolerated_count = fields.number(source, "ToleratedFailureCount", {});
  map.tolerated_percentage =
      fields.number(source, "ToleratedFailurePercentage", {.most = 100, .may_be_fraction = true});
  if (!read_processor(map, source, at, nesting)) return map;
  check_inline(map, source, at);
  if (const auto* reader = problems_.typed(source, "ItemReader", Type::object, at)) {
    map.reader = read_item_reader(reader->get_object(), fields);
  }
  if (const auto* batcher = problems_.typed(source, "ItemBatcher", Type::object, at)) {
    map.batcher = read_batcher(batcher->get_object(), fields);
  }
  if (const auto* writer = problems_.typed(source, "ResultWriter", Type::object, at)) {
    map.writer = read_result_writer(writer->get_object(), fields);
  }
  map.label = read_label(source, at);
  return map;
}

bool DefinitionReader::read_processor(MapState& map, const json::object& source,
                                      const std::string& at, std::size_t nesting) {
  if (source.contains("ItemProcessor") && source.contains("Iterator")) {
    problems_.schema("Only one of 'ItemProcessor' and 'Iterator' may be used", at);
  }
  const std::string key = source.contains("Iterator") ? "Iterator" : "ItemProcessor";
  if (!problems_.require_fields(source, {std::string_view(key)}, at)) return false;
  const auto* value = problems_.typed(source, key, Type::object, at);
  if (value == nullptr) return true;
  const json::object& processor = value->get_object();
  const std::string place = at + "/" + key;
  problems_.check_known(processor, {"Comment", "StartAt", "States", "ProcessorConfig"}, place);
  if (const auto* config_value =
          problems_.typed(processor, "ProcessorConfig", Type::object, place)) {
    const json::object& config = config_value->get_object();
    const std::string config_at = place + "/ProcessorConfig";
    problems_.check_known(config, {"Mode", "ExecutionType"}, config_at);
    map.distributed =
        problems_.one_of(config, "Mode", {"INLINE", "DISTRIBUTED"}, config_at) == "DISTRIBUTED";
    map.express_children =
        problems_.one_of(config, "ExecutionType", {"STANDARD", "EXPRESS"}, config_at) == "EXPRESS";
    if (map.distributed) (void)problems_.require_fields(config, {"ExecutionType"}, config_at);
  }
  std::set<std::string>* const own = targets_;
  const std::set<std::string> around = outer_variables_;
  if (map.distributed) outer_variables_.clear();  // its children are executions of their own
  map.flow = read_flow(processor, place, nesting + 1);
  outer_variables_ = around;
  targets_ = own;
  return true;
}

void DefinitionReader::check_inline(const MapState& map, const json::object& source,
                                    const std::string& at) {
  if (map.distributed) return;
  for (const std::string_view key : {"ItemReader", "ItemBatcher", "ResultWriter", "Label"}) {
    if (!source.contains(key)) continue;
    problems_.schema(
        "Field '" + std::string(key) + "' is only supported for Map states in DISTRIBUTED mode",
        at);
  }
}

ItemReader DefinitionReader::read_item_reader(const json::object& source, FieldReader& fields) {
  const std::string_view parameters = fields.jsonata() ? "Arguments" : "Parameters";
  const std::string at = fields.at() + "/ItemReader";
  ItemReader reader;
  reader.parameters = fields.payload(source, parameters, FieldReader::Place::plain, "ItemReader/");
  problems_.check_known(source, {"Resource", "ReaderConfig", parameters}, at);
  (void)problems_.require_fields(source, {"Resource"}, at);
  reader.resource = problems_.text(source, "Resource", at);
  if (!reader.resource.empty() && !reader.resource.ends_with(":s3:getObject") &&
      !reader.resource.ends_with(":s3:listObjectsV2")) {
    problems_.schema(
        "The field 'Resource' does not match any of the allowed values. Examples: "
        "[arn:<partition>:states:::s3:getObject, "
        "arn:<partition>:states:::s3:listObjectsV2]",
        at + "/Resource");
  }
  if (const auto* config = problems_.typed(source, "ReaderConfig", Type::object, at)) {
    reader.config = config->get_object();
    reader.max_items =
        fields.number(reader.config, "MaxItems", {.most = 100'000'000}, "ItemReader/ReaderConfig/");
    check_reader_config(reader.config, at + "/ReaderConfig");
  }
  return reader;
}

void DefinitionReader::check_reader_config(const json::object& config, const std::string& at) {
  problems_.check_known(config,
                        {"InputType", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "MaxItems",
                         "MaxItemsPath", "Transformation", "ItemsPointer", "ManifestType"},
                        at);
  (void)problems_.one_of(config, "InputType", {"MANIFEST", "JSON", "CSV", "JSONL", "PARQUET"}, at);
  (void)problems_.one_of(config, "CSVDelimiter", {"COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"},
                         at);
  (void)problems_.one_of(config, "Transformation", {"NONE", "LOAD_AND_FLATTEN"}, at);
  (void)problems_.typed(config, "ItemsPointer", Type::text, at);
  const auto* headers = problems_.typed(config, "CSVHeaders", Type::list, at);
  const bool given =
      problems_.one_of(config, "CSVHeaderLocation", {"FIRST_ROW", "GIVEN"}, at) == "GIVEN";
  if (given && headers == nullptr) (void)problems_.require_fields(config, {"CSVHeaders"}, at);
}

ItemBatcher DefinitionReader::read_batcher(const json::object& source, FieldReader& fields) {
  const std::string prefix = "ItemBatcher/";
  ItemBatcher batcher;
  batcher.max_items = fields.number(source, "MaxItemsPerBatch", {.least = 1}, prefix);
  batcher.max_bytes = fields.number(source, "MaxInputBytesPerBatch", {.least = 1}, prefix);
  batcher.batch_input = fields.payload(source, "BatchInput", FieldReader::Place::plain, prefix);
  problems_.check_known(source,
                        {"MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch",
                         "MaxInputBytesPerBatchPath", "BatchInput"},
                        fields.at() + "/ItemBatcher");
  return batcher;
}

ResultWriter DefinitionReader::read_result_writer(const json::object& source, FieldReader& fields) {
  const std::string_view parameters = fields.jsonata() ? "Arguments" : "Parameters";
  const std::string at = fields.at() + "/ResultWriter";
  ResultWriter writer;
  writer.parameters =
      fields.payload(source, parameters, FieldReader::Place::plain, "ResultWriter/");
  problems_.check_known(source, {"Resource", "WriterConfig", parameters}, at);
  if (const auto* config = problems_.typed(source, "WriterConfig", Type::object, at)) {
    writer.config = config->get_object();
    const std::string config_at = at + "/WriterConfig";
    problems_.check_known(writer.config, {"OutputType", "Transformation"}, config_at);
    (void)problems_.one_of(writer.config, "OutputType", {"JSON", "JSONL"}, config_at);
    (void)problems_.one_of(writer.config, "Transformation", {"NONE", "COMPACT", "FLATTEN"},
                           config_at);
  }
  writer.resource = problems_.text(source, "Resource", at);
  if (!source.contains("Resource") && !source.contains("WriterConfig")) {
    (void)problems_.require_fields(source, {"Resource"}, at);
  }
  return writer;
}

std::string DefinitionReader::read_label(const json::object& source, const std::string& at) {
  const auto* value = problems_.typed(source, "Label", Type::text, at);
  if (value == nullptr) return "";
  constexpr std::string_view kForbidden = " ?*<>{}[]:;,\\|^~$#%&`\"/";
  std::string label(value->get_string());
  if (label.empty() || query::count_code_points(label) > 40 ||
      label.find_first_of(kForbidden) != std::string::npos) {
    problems_.schema(
        "Label must be 1 to 40 characters long and must not contain whitespace or any of "
        "? * < > { } [ ] : ; , \\ | ^ ~ $ # % & ` \" /",
        at + "/Label");
  }
  return label;
}

}  // namespace andon::asl
