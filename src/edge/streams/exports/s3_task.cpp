// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/s3_task.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::edge {

namespace json = base::json;

namespace {

constexpr std::size_t kMostTaskBytes = 1U << 20U;
constexpr std::size_t kMostMetadataBytes = 2048;
constexpr std::size_t kLongestKey = 1024;
constexpr std::string_view kForbiddenInKey = "\\{} %`[]\"'><~#^?|";

base::Error wrong(const std::string& why) {
  return {base::ErrorCode::invalid_argument, why};
}

base::fs::path input_file(const std::string& url) {
  std::string path = url;
  constexpr std::string_view kScheme = "file:";
  if (path.starts_with(kScheme)) {
    path.erase(0, kScheme.size());
    if (path.starts_with("//")) path.erase(0, 2);
    if (path.starts_with("localhost/")) path.erase(0, std::string_view("localhost").size());
    path = base::percent_decode(path).value_or(path);
  }
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
    throw wrong("inputUrl '" + url + "' is no file of this device: write file:/path");
  }
  return path;
}

bool is_label(std::string_view label) {
  const auto is_inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !label.empty() && is_inner(label.front()) && is_inner(label.back()) &&
         std::ranges::all_of(label, [&](char c) { return is_inner(c) || c == '-'; });
}

void check_bucket(const std::string& bucket) {
  bool is_good = bucket.size() >= 3 && bucket.size() <= 63;
  bool has_letter = false;
  int labels = 0;
  for (std::string_view rest = bucket; is_good && labels >= 0;) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    is_good = is_label(label);
    ++labels;
    for (const char c : label) has_letter = has_letter || c < '0' || c > '9';
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (!is_good || (labels == 4 && !has_letter)) {
    throw wrong("'" + bucket + "' is not the name of a bucket");
  }
}

// Without what is in expressions, which resolve_key() reads.
void check_key(std::string_view key) {
  if (key.empty() || key.size() > kLongestKey) throw wrong("key must have 1 to 1024 bytes");
  for (std::size_t at = 0; at < key.size(); ++at) {
    if (key.substr(at).starts_with("!{")) {
      const std::size_t end = key.find('}', at);
      if (end == std::string_view::npos) throw wrong("key has an expression without its end");
      at = end;
      continue;
    }
    if (kForbiddenInKey.find(key[at]) != std::string_view::npos || base::is_control(key[at])) {
      throw wrong("key must not have '" + std::string(1, key[at]) + "' in it");
    }
  }
}

}  // namespace

S3Task read_s3_task(std::string_view payload) {
  const json::value value =
      base::parse_json(payload, "S3 export task", {.max_bytes = kMostTaskBytes, .max_depth = 8});
  const base::JsonReader reader(value, "S3 export task");
  S3Task task;
  task.document = reader.object();
  task.input = input_file(reader.required_text("inputUrl"));
  task.bucket = reader.required_text("bucket");
  task.key = reader.required_text("key");
  check_bucket(task.bucket);
  check_key(task.key);
  std::size_t bytes = 0;
  if (reader.has("userMetadata")) {
    for (const auto& [name, text] : reader.string_map("userMetadata")) {
      const std::string key = base::to_lower(name);
      const bool is_token = !key.empty() && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      });
      if (!is_token || key.starts_with("x-amz-meta-") || key.starts_with("$aws-gg-")) {
        throw wrong("userMetadata has the name '" + name + "', which is not possible");
      }
      if (std::ranges::any_of(text, base::is_control)) {
        throw wrong("userMetadata '" + name + "' has a control character in it");
      }
      bytes += key.size() + text.size();
      task.metadata[key] = text;
    }
  }
  if (bytes > kMostMetadataBytes) throw wrong("userMetadata has more than 2 KiB");
  return task;
}

StatusLevel level_of(TaskStatus status) {
  switch (status) {
    case TaskStatus::failure:
      return StatusLevel::error;
    case TaskStatus::warning:
    case TaskStatus::canceled:
      return StatusLevel::warn;
    case TaskStatus::success:
    case TaskStatus::in_progress:
      break;
  }
  return StatusLevel::info;
}

std::string status_message(const TaskEvent& event, const json::object& document,
                           base::Timestamp now) {
  json::object context{{"exportIdentifier", event.identifier},
                       {"streamName", event.stream},
                       {"sequenceNumber", event.sequence}};
  if (!document.empty()) context["s3ExportTaskDefinition"] = document;
  return base::to_text(json::object{{"eventType", 0},
                                    {"statusLevel", static_cast<int>(level_of(event.status))},
                                    {"status", static_cast<int>(event.status)},
                                    {"statusContext", std::move(context)},
                                    {"message", event.message},
                                    {"timestampEpochMs", base::to_epoch_millis(now)}});
}

}  // namespace andon::edge
