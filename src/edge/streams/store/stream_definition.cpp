// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/stream_definition.hpp"

#include <algorithm>
#include <set>

#include "base/text/utf8.hpp"

namespace andon::edge {
namespace {

using Kind = CborValue::Kind;

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kMostExports = 64;
constexpr std::int64_t kLeastBytes = 1024;
constexpr std::int64_t kMostSegmentBytes = 2'147'483'647;
constexpr std::int64_t kLeastMillis = 60'000;
constexpr std::int64_t kMostMillis = 9'223'372'036'854;
constexpr std::int64_t kLeastMultipart = 5'242'880;
constexpr std::size_t kLongestUri = 4096;

// Letters of any language count, as the most liberal client has it.
bool is_of_name(char32_t letter) {
  if (letter >= 0x80) return letter > 0xa0 && (letter < 0x2000 || letter > 0x206f);
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == ' ' || letter == ',' ||
         letter == '.' || letter == '-';
}

// Lists that cannot be honoured, with what they are called.
constexpr std::pair<std::string_view, std::string_view> kRefusedLists[] = {
    {"kinesis", "Kinesis"},
    {"iotAnalytics", "AWS IoT Analytics"},
    {"IotSitewise", "AWS IoT SiteWise"}};

HttpExportSettings read_http(const CborReader& reader) {
  HttpExportSettings settings;
  settings.uri = reader.required_text("uri");
  settings.is_batched = reader.integer("exportFormat", 0, 1).value_or(0) == 1;
  const std::string& uri = settings.uri;
  const bool is_known = uri.starts_with("http://") || uri.starts_with("https://") ||
                        uri.starts_with("mqtt://") || uri.starts_with("mqtts://") ||
                        uri.starts_with("s3+https://");
  const bool is_clean = std::ranges::all_of(
      uri, [](char letter) { return static_cast<unsigned char>(letter) > 0x20; });
  if (!is_known || !is_clean || uri.size() > kLongestUri) {
    reader.fail("uri", "must be an address of http, https, mqtt, mqtts or s3+https");
  }
  return settings;
}

S3ExportSettings read_s3(const CborReader& reader, const std::string& where) {
  S3ExportSettings settings;
  settings.multipart_threshold =
      reader.integer("sizeThresholdForMultipartUploadBytes", kLeastMultipart, INT64_MAX);
  if (const CborValue* status = reader.find("statusConfig", Kind::map)) {
    const CborReader inner(*status, where + ".statusConfig");
    settings.status =
        StatusConfig{inner.name("statusStreamName"),
                     static_cast<StatusLevel>(inner.integer("statusLevel", 0, 4).value_or(2))};
  }
  return settings;
}

ExportConfig read_export(const CborValue& value, const std::string& where, bool is_s3) {
  const CborReader reader(value, where);
  ExportConfig config;
  config.identifier = reader.name("identifier");
  config.priority = reader.integer("priority", 1, 10);
  config.is_disabled = reader.boolean("disabled").value_or(false);
  if (is_s3) {
    config.settings = read_s3(reader, where);
    return config;
  }
  config.settings = read_http(reader);
  config.batch_size = reader.integer("batchSize", 1, 500).value_or(500);
  config.batch_interval_ms = reader.integer("batchIntervalMillis", kLeastMillis, kMostMillis);
  config.start_sequence = reader.integer("startSequenceNumber", 0, INT64_MAX).value_or(0);
  return config;
}

std::vector<ExportConfig> read_exports(const CborValue& value) {
  const std::string where = "exportDefinition";
  const CborReader reader(value, where);
  for (const auto& [key, called] : kRefusedLists) {
    const CborValue* list = reader.find(key, Kind::array);
    if (list != nullptr && !list->items.empty()) {
      reader.fail(key, "exports to " + std::string(called) +
                           " are not possible here: export with s3TaskExecutor, or with http to "
                           "an address of http, https, mqtt, mqtts or s3+https");
    }
  }
  std::vector<ExportConfig> exports;
  std::set<std::string> seen;
  for (const std::string key : {"http", "s3TaskExecutor"}) {
    const CborValue* list = reader.find(key, Kind::array);
    if (list == nullptr) continue;
    for (const CborValue& item : list->items) {
      std::string place = where;
      place.append(".").append(key).append("[").append(std::to_string(exports.size())).append("]");
      exports.push_back(read_export(item, place, key != "http"));
      if (!seen.insert(exports.back().identifier).second) {
        reader.fail(key, "the identifier " + exports.back().identifier + " is there twice");
      }
      if (exports.size() > kMostExports) reader.fail(key, "has too many exports; 64 are possible");
    }
  }
  return exports;
}

void write_http(CborWriter& writer, const ExportConfig& config) {
  const auto& settings = std::get<HttpExportSettings>(config.settings);
  const std::size_t members =
      6 + (config.batch_interval_ms ? 1U : 0U) + (config.priority ? 1U : 0U);
  writer.map(members).text("identifier").text(config.identifier).text("uri").text(settings.uri);
  writer.text("batchSize").integer(config.batch_size.value_or(500));
  if (config.batch_interval_ms) {
    writer.text("batchIntervalMillis").integer(*config.batch_interval_ms);
  }
  if (config.priority) writer.text("priority").integer(*config.priority);
  writer.text("startSequenceNumber").integer(config.start_sequence);
  writer.text("disabled").boolean(config.is_disabled);
  writer.text("exportFormat").integer(settings.is_batched ? 1 : 0);
}

void write_s3(CborWriter& writer, const ExportConfig& config) {
  const auto& settings = std::get<S3ExportSettings>(config.settings);
  const std::size_t members = 2 + (settings.multipart_threshold ? 1U : 0U) +
                              (config.priority ? 1U : 0U) + (settings.status ? 1U : 0U);
  writer.map(members).text("identifier").text(config.identifier);
  if (settings.multipart_threshold) {
    writer.text("sizeThresholdForMultipartUploadBytes").integer(*settings.multipart_threshold);
  }
  if (config.priority) writer.text("priority").integer(*config.priority);
  writer.text("disabled").boolean(config.is_disabled);
  if (settings.status) {
    writer.text("statusConfig").map(2);
    writer.text("statusLevel").integer(static_cast<int>(settings.status->level));
    writer.text("statusStreamName").text(settings.status->stream);
  }
}

}  // namespace

StreamError::StreamError(StreamStatus status, std::string message)
    : base::Error(base::ErrorCode::failed_precondition, std::move(message)), status_(status) {}

StreamDefinition read_definition(const CborValue& value) {
  const CborReader reader(value, "definition");
  StreamDefinition definition;
  definition.name = reader.name("name");
  definition.max_size =
      reader.integer("maxSize", kLeastBytes, INT64_MAX).value_or(definition.max_size);
  definition.segment_size = reader.integer("streamSegmentSize", kLeastBytes, kMostSegmentBytes)
                                .value_or(definition.segment_size);
  definition.time_to_live_ms = reader.integer("timeToLiveMillis", kLeastMillis, kMostMillis);
  definition.overwrites_oldest = reader.required_integer("strategyOnFull", 0, 1) == 1;
  definition.is_in_memory = reader.integer("persistence", 0, 1).value_or(0) == 1;
  definition.flush_on_write = reader.boolean("flushOnWrite").value_or(false);
  if (definition.is_in_memory && definition.flush_on_write) {
    reader.fail("flushOnWrite", "is for streams with persistence File");
  }
  if (const CborValue* exports = reader.find("exportDefinition", Kind::map)) {
    definition.exports = read_exports(*exports);
  }
  return definition;
}

void write_definition(CborWriter& writer, const StreamDefinition& definition) {
  writer.map(definition.time_to_live_ms ? 8 : 7);
  writer.text("name").text(definition.name);
  writer.text("maxSize").integer(definition.max_size);
  writer.text("streamSegmentSize").integer(definition.segment_size);
  if (definition.time_to_live_ms) {
    writer.text("timeToLiveMillis").integer(*definition.time_to_live_ms);
  }
  writer.text("strategyOnFull").integer(definition.overwrites_oldest ? 1 : 0);
  writer.text("persistence").integer(definition.is_in_memory ? 1 : 0);
  writer.text("flushOnWrite").boolean(definition.flush_on_write);
  writer.text("exportDefinition").map(5);
  const auto s3 =
      static_cast<std::size_t>(std::ranges::count_if(definition.exports, &ExportConfig::is_s3));
  writer.text("http").array(definition.exports.size() - s3);
  for (const ExportConfig& config : definition.exports) {
    if (!config.is_s3()) write_http(writer, config);
  }
  for (const auto& [key, called] : kRefusedLists) writer.text(key).array(0);
  writer.text("s3TaskExecutor").array(s3);
  for (const ExportConfig& config : definition.exports) {
    if (config.is_s3()) write_s3(writer, config);
  }
}

CborReader::CborReader(const CborValue& map, std::string where)
    : map_(map), where_(std::move(where)) {
  if (map.kind != Kind::map) fail("", "must be a map");
}

void CborReader::fail(std::string_view key, std::string_view problem) const {
  std::string message = where_;
  if (!key.empty()) message.append(message.empty() ? "" : ".").append(key);
  throw StreamError(StreamStatus::invalid_request, message.append(" ").append(problem));
}

const CborValue* CborReader::find(std::string_view key, Kind kind) const {
  const CborValue* found = map_.find(key);
  if (found != nullptr && found->kind != kind) fail(key, "is of another type than expected");
  return found;
}

std::optional<std::string> CborReader::text(std::string_view key) const {
  const CborValue* found = find(key, Kind::text);
  if (found == nullptr) return std::nullopt;
  return std::string(found->text);
}

std::optional<std::int64_t> CborReader::integer(std::string_view key, std::int64_t least,
                                                std::int64_t most) const {
  const CborValue* found = find(key, Kind::integer);
  if (found == nullptr) return std::nullopt;
  if (found->integer < least || found->integer > most) {
    fail(key, "is " + std::to_string(found->integer) + " but must be from " +
                  std::to_string(least) + " to " + std::to_string(most));
  }
  return found->integer;
}

std::optional<bool> CborReader::boolean(std::string_view key) const {
  const CborValue* found = find(key, Kind::boolean);
  if (found == nullptr) return std::nullopt;
  return found->boolean;
}

std::string CborReader::name(std::string_view key) const {
  std::string name = required_text(key);
  const std::u32string letters = base::to_code_points(name);
  if (letters.empty() || letters.size() > kLongestName ||
      !std::ranges::all_of(letters, is_of_name)) {
    fail(key,
         "must have 1 to 255 characters: letters, digits, underscore, blank, comma, full stop "
         "and hyphen");
  }
  return name;
}

std::string CborReader::required_text(std::string_view key) const {
  auto found = text(key);
  if (!found) fail(key, "is missing");
  return *std::move(found);
}

std::int64_t CborReader::required_integer(std::string_view key, std::int64_t least,
                                          std::int64_t most) const {
  const auto found = integer(key, least, most);
  if (!found) fail(key, "is missing");
  return *found;
}

}  // namespace andon::edge
