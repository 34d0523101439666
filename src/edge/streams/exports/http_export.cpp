// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/http_export.hpp"

#include "base/error/error.hpp"
#include "base/json/json_append.hpp"
#include "base/text/encoding.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kMostAnswerBytes = 64U << 10U;
constexpr std::size_t kShownBytes = 200;

bool is_refusal(int status) {
  return status == 400 || status == 413 || status == 415 || status == 422;
}

}  // namespace

std::string message_json(const std::string& stream, const StreamMessage& message) {
  std::string text = "{\"streamName\":";
  base::append_json_string(text, stream);
  text += ",\"sequenceNumber\":";
  base::append_json_number(text, message.sequence);
  text += ",\"ingestTime\":";
  base::append_json_number(text, message.ingest_ms);
  return text += ",\"payload\":\"" + base::to_base64(message.payload) + "\"}";
}

std::string batch_json(const ExportBatch& batch) {
  std::string text = "[";
  for (const StreamMessage& message : batch.messages) {
    if (text.size() > 1) text += ',';
    text += message_json(batch.stream, message);
  }
  return text += ']';
}

HttpExport::HttpExport(HttpExportSettings settings, const ExportWorld& world)
    : settings_(std::move(settings)), world_(world), http_(wire::HttpClientOptions{}) {}

ExportOutcome HttpExport::send(const ExportBatch& batch, const std::atomic<bool>& cancelled) {
  if (settings_.is_batched) {
    ExportOutcome outcome = post(batch_json(batch), "application/json", cancelled);
    // Of a batch that is refused nothing can be told apart.
    if (outcome.kind == ExportOutcome::Kind::sent) outcome.done = batch.messages.size();
    if (outcome.kind == ExportOutcome::Kind::refused) outcome.skipped = batch.messages.size();
    return outcome;
  }
  std::size_t done = 0;
  for (const StreamMessage& message : batch.messages) {
    ExportOutcome outcome = post(message.payload, "application/octet-stream", cancelled);
    if (outcome.kind != ExportOutcome::Kind::sent) {
      outcome.done = done;
      outcome.skipped = outcome.kind == ExportOutcome::Kind::refused ? 1 : 0;
      return outcome;
    }
    ++done;
  }
  return {.done = done};
}

ExportOutcome HttpExport::post(std::string body, const char* type,
                               const std::atomic<bool>& cancelled) {
  try {
    world_.await_budget(body.size(), cancelled);
    wire::OutgoingRequest request;
    request.method = "POST";
    request.url = settings_.uri;
    request.headers.set("Content-Type", type);
    request.body = std::move(body);
    request.timeout = kTimeout;
    request.max_response_bytes = kMostAnswerBytes;
    request.cancelled = &cancelled;
    const wire::IncomingResponse response = http_.send(request);
    if (response.status / 100 == 2) return {};
    const std::string why = "HTTP " + std::to_string(response.status) + " from " + settings_.uri +
                            ": " + response.body.substr(0, kShownBytes);
    return {is_refusal(response.status) ? ExportOutcome::Kind::refused : ExportOutcome::Kind::retry,
            0, why, 0};
  } catch (const base::Error& error) {
    return {ExportOutcome::Kind::retry, 0, error.message(), 0};
  }
}

}  // namespace andon::edge
