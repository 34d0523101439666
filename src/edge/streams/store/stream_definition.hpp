// SPDX-License-Identifier: Apache-2.0
// A message stream as its owner describes it, with every range of the protocol checked, and what
// the protocol answers where something is wrong. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error/error.hpp"
#include "edge/streams/store/cbor.hpp"

namespace andon::edge {

// Status codes of the protocol; clients know no others.
enum class StreamStatus : int {
  success = 0,
  unknown_failure = 1,
  unauthorized = 2,
  invalid_request = 3,
  request_payload_too_large = 4,
  resource_not_found = 5,
  server_timeout = 6,
  response_payload_too_large = 7,
  unsupported_connect_version = 8,
  unexpected_operation = 9,
  unsupported_protocol_version = 10,
  invalid_protocol_version = 11,
  failed_to_connect = 12,
  not_enough_messages = 13,
  message_store_read_error = 14,
  out_of_memory = 15,
  update_failed = 16,
  update_not_allowed = 17,
  unknown_operation = 18,
};

class StreamError : public base::Error {
 public:
  StreamError(StreamStatus status, std::string message);
  [[nodiscard]] StreamStatus status() const { return status_; }

 private:
  StreamStatus status_;
};

enum class StatusLevel : int { error = 0, warn = 1, info = 2, debug = 3, trace = 4 };

struct HttpExportSettings {
  std::string uri;  // http, https, mqtt, mqtts, s3+https
  bool is_batched = false;
  bool operator==(const HttpExportSettings&) const = default;
};

struct StatusConfig {
  std::string stream;
  StatusLevel level = StatusLevel::info;
  bool operator==(const StatusConfig&) const = default;
};

struct S3ExportSettings {
  std::optional<std::int64_t> multipart_threshold;  // bytes
  std::optional<StatusConfig> status;
  bool operator==(const S3ExportSettings&) const = default;
};

struct ExportConfig {
  std::string identifier;
  std::variant<HttpExportSettings, S3ExportSettings> settings;
  std::optional<std::int64_t> batch_size;
  std::optional<std::int64_t> batch_interval_ms;
  std::optional<std::int64_t> priority;  // 1 first; none is the lowest
  std::int64_t start_sequence = 0;
  bool is_disabled = false;
  bool operator==(const ExportConfig&) const = default;

  [[nodiscard]] bool is_s3() const { return std::holds_alternative<S3ExportSettings>(settings); }
};

struct StreamDefinition {
  std::string name;
  std::int64_t max_size = 268'435'456;
  std::int64_t segment_size = 16'777'216;
  std::optional<std::int64_t> time_to_live_ms;
  bool overwrites_oldest = false;
  bool is_in_memory = false;
  bool flush_on_write = false;
  std::vector<ExportConfig> exports;
  bool operator==(const StreamDefinition&) const = default;
};

// Throws StreamError(invalid_request) that names the member. What is refused by name: exports to
// Kinesis, AWS IoT Analytics and AWS IoT SiteWise.
[[nodiscard]] StreamDefinition read_definition(const CborValue& value);
// With all defaults filled in, so that it can be fed to an update as it is.
void write_definition(CborWriter& writer, const StreamDefinition& definition);

// Members of a map with their ranges; absent and null are the same. The value must outlive it.
class CborReader {
 public:
  CborReader(const CborValue& map, std::string where);

  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                                    std::int64_t most) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  [[nodiscard]] const CborValue* find(std::string_view key, CborValue::Kind kind) const;

  // 1 to 255 characters of those that names may have.
  [[nodiscard]] std::string name(std::string_view key) const;
  [[nodiscard]] std::string required_text(std::string_view key) const;
  [[nodiscard]] std::int64_t required_integer(std::string_view key, std::int64_t least,
                                              std::int64_t most) const;

  [[noreturn]] void fail(std::string_view key, std::string_view problem) const;

 private:
  const CborValue& map_;
  std::string where_;
};

}  // namespace andon::edge
