// SPDX-License-Identifier: Apache-2.0
// Messages as objects of the server's own store: s3+https:///bucket/prefix. Below the prefix, in
// which {stream} and {thing} are replaced, an object for each message with its payload as it is,
// STREAM/NUMBER, or one for each batch, STREAM/FIRST-LAST.ndjson: a line for each message
// (message_json()). Numbers have 20 digits, so that keys are in order. An object that was written
// before a crash may be written again, or be within another one: lines have their numbers.
#pragma once

#include <string>

#include "edge/streams/exports/export_target.hpp"
#include "edge/streams/exports/object_client.hpp"

namespace andon::edge {

struct ObjectAddress {
  std::string bucket;
  std::string prefix;  // its places not replaced yet; without a slash at its end; may be empty
};
// Throws StreamError(invalid_request) that says what is wrong.
[[nodiscard]] ObjectAddress read_object_address(const std::string& uri);

class ObjectExport final : public ExportTarget {
 public:
  ObjectExport(const HttpExportSettings& settings, const ExportWorld& world);

  ExportOutcome send(const ExportBatch& batch, const std::atomic<bool>& cancelled) override;

 private:
  void put(const std::string& key, std::string body, const char* type,
           const std::atomic<bool>& cancelled);

  ObjectAddress address_;
  bool is_batched_;
  const ExportWorld& world_;
  ObjectClient store_;
};

}  // namespace andon::edge
