// SPDX-License-Identifier: Apache-2.0
#include "asl/data/item_reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/s3_uri.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;
constexpr std::size_t kMaxColumns = 10'000;

std::string text_of(const json::object& config, std::string_view key, std::string fallback) {
  const auto* value = config.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                : std::move(fallback);
}

[[noreturn]] void refuse(const std::string& why) {
  throw base::Error(base::ErrorCode::invalid_argument, "the items cannot be read: " + why);
}

char delimiter_of(const json::object& config) {
  const std::string name = text_of(config, "CSVDelimiter", "COMMA");
  if (name == "PIPE") return '|';
  if (name == "SEMICOLON") return ';';
  if (name == "SPACE") return ' ';
  return name == "TAB" ? '\t' : ',';
}

// RFC 4180, with either line end. The row that begins at `at`; nothing at the end of the text.
std::optional<std::vector<std::string>> next_row(std::string_view text, std::size_t& at,
                                                 char delimiter) {
  if (at >= text.size()) return std::nullopt;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      const bool doubled = c == '"' && at + 1 < text.size() && text[at + 1] == '"';
      if (doubled) ++at;
      if (c == '"' && !doubled) {
        quoted = false;
      } else {
        row.back() += c;
      }
    } else if (c == '"' && row.back().empty()) {
      quoted = true;
    } else if (c == delimiter) {
      if (row.size() >= kMaxColumns) refuse("a CSV row has more than 10000 columns");
      row.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  if (quoted) refuse("a CSV field is not closed");
  return row;
}

json::array read_csv(const json::object& config, std::string_view bytes) {
  const char delimiter = delimiter_of(config);
  std::size_t at = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  std::vector<std::string> header;
  if (text_of(config, "CSVHeaderLocation", "FIRST_ROW") == "GIVEN") {
    if (const auto* names = config.if_contains("CSVHeaders");
        names != nullptr && names->is_array()) {
      for (const auto& name : names->get_array()) {
        if (!name.is_string()) refuse("CSVHeaders must be texts");
        header.emplace_back(name.get_string());
      }
    }
  } else if (auto row = next_row(bytes, at, delimiter)) {
    header = *std::move(row);
  }
  json::array items;
  while (const auto row = next_row(bytes, at, delimiter)) {
    if (row->size() == 1 && row->front().empty()) continue;
    json::object item;
    for (std::size_t i = 0; i < header.size(); ++i) {
      item[header[i]] = i < row->size() ? (*row)[i] : "";
    }
    items.push_back(std::move(item));
  }
  return items;
}

json::array read_lines(std::string_view bytes) {
  json::array items;
  std::size_t line_number = 1;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view line = bytes.substr(0, end);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      items.push_back(
          base::parse_json(line, "line " + std::to_string(line_number), {.max_depth = 100}));
    }
    ++line_number;
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return items;
}

constexpr std::size_t kMaxManifestObjects = 100'000;

ItemManifest::Object object_of(std::string_view uri) {
  auto place = base::parse_s3_uri(uri);
  if (!place || place->key.empty()) {
    refuse("'" + std::string(uri) + "' of the manifest is no s3://BUCKET/KEY");
  }
  return {std::move(place->bucket), std::move(place->key)};
}

ItemManifest read_uris(const json::object& config, std::string_view bytes) {
  ItemManifest manifest;
  manifest.config = config;
  manifest.config.erase("ManifestType");
  std::size_t at = 0;
  while (const auto row = next_row(bytes, at, ',')) {
    if (row->size() == 1 && row->front().empty()) continue;
    if (manifest.objects.size() == kMaxManifestObjects) {
      refuse("the manifest names more than " + std::to_string(kMaxManifestObjects) + " objects");
    }
    manifest.objects.push_back(object_of(row->front()));
  }
  return manifest;
}

ItemManifest read_inventory(std::string_view bytes) {
  const json::value document =
      base::parse_json(bytes, "the manifest", {.max_bytes = kMaxBytes, .max_depth = 20});
  const auto* object = document.if_object();
  const json::object none;
  const json::object& given = object != nullptr ? *object : none;
  const std::string format = text_of(given, "fileFormat", "");
  if (format == "Parquet" || format == "ORC") {
    throw base::Error(base::ErrorCode::unsupported,
                      "an inventory in the format " + format + " is not read; use CSV");
  }
  if (format != "CSV") refuse("the manifest's fileFormat must be CSV");
  std::string bucket = text_of(given, "destinationBucket", "");
  if (const std::size_t colon = bucket.rfind(':'); colon != std::string::npos) {
    bucket.erase(0, colon + 1);  // arn:aws:s3:::BUCKET
  }
  const std::string schema = text_of(given, "fileSchema", "");
  const auto* files = given.if_contains("files");
  if (bucket.empty() || schema.empty() || files == nullptr || !files->is_array()) {
    refuse("the manifest must have destinationBucket, fileSchema and files");
  }
  if (files->get_array().size() > kMaxManifestObjects) {
    refuse("the manifest names more than " + std::to_string(kMaxManifestObjects) + " objects");
  }
  ItemManifest manifest;
  json::array columns;
  std::size_t at = 0;
  while (at <= schema.size()) {
    const std::size_t end = std::min(schema.find(',', at), schema.size());
    const std::size_t begin = std::min(schema.find_first_not_of(' ', at), end);
    columns.emplace_back(schema.substr(begin, end - begin));
    at = end + 1;
  }
  manifest.config = {
      {"InputType", "CSV"}, {"CSVHeaderLocation", "GIVEN"}, {"CSVHeaders", std::move(columns)}};
  for (const auto& file : files->get_array()) {
    const std::string key = file.is_object() ? text_of(file.get_object(), "key", "") : "";
    if (key.empty()) refuse("each of the manifest's files must have a key");
    manifest.objects.push_back({bucket, key});
  }
  return manifest;
}

}  // namespace

bool is_manifest(const json::object& config) {
  return text_of(config, "InputType", "") == "MANIFEST" || config.contains("ManifestType");
}

ItemManifest parse_manifest(const json::object& config, std::string_view bytes) {
  return text_of(config, "ManifestType", "S3_INVENTORY") == "ATHENA_DATA" ? read_uris(config, bytes)
                                                                          : read_inventory(bytes);
}

Data parse_items(const json::object& config, std::string_view bytes) {
  const std::string type = text_of(config, "InputType", "JSON");
  if (type == "CSV") return make_data(read_csv(config, bytes));
  if (type == "JSONL") return make_data(read_lines(bytes));
  if (type != "JSON") {
    throw base::Error(base::ErrorCode::unsupported,
                      "items of type " + type + " are not read; use JSON, JSONL or CSV");
  }
  const Data document =
      make_data(base::parse_json(bytes, "the items", {.max_bytes = kMaxBytes, .max_depth = 100}));
  const std::string pointer = text_of(config, "ItemsPointer", "");
  const json::value* place = base::find_pointer(*document, pointer);
  if (place == nullptr || !(place->is_array() || place->is_object())) {
    refuse("ItemsPointer '" + pointer + "' does not lead to an array or an object");
  }
  return part_of(document, *place);
}

}  // namespace andon::asl
