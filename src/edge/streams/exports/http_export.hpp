// SPDX-License-Identifier: Apache-2.0
// Messages as POST requests: one for each with its payload as it is, or one for a batch, a JSON
// list of {"streamName", "sequenceNumber", "ingestTime", "payload" in base64}. 2xx is an
// acknowledgement; 400, 413, 415 and 422 say that the same would be refused again; all else is
// tried again.
#pragma once

#include <string>

#include "edge/streams/exports/export_target.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {

// {"streamName", "sequenceNumber", "ingestTime", "payload"}.
[[nodiscard]] std::string message_json(const std::string& stream, const StreamMessage& message);
// The JSON list of a batch.
[[nodiscard]] std::string batch_json(const ExportBatch& batch);

class HttpExport final : public ExportTarget {
 public:
  HttpExport(HttpExportSettings settings, const ExportWorld& world);

  ExportOutcome send(const ExportBatch& batch, const std::atomic<bool>& cancelled) override;

 private:
  ExportOutcome post(std::string body, const char* type, const std::atomic<bool>& cancelled);

  HttpExportSettings settings_;
  const ExportWorld& world_;
  wire::HttpClient http_;
};

}  // namespace andon::edge
