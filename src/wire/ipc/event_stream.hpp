// SPDX-License-Identifier: Apache-2.0
// The frames of AWS event streams, and the headers of event-stream RPC that components speak with
// the agent: bytes to messages and back, with limits and checksums. Pure; one thread per decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/digests/crc.hpp"

namespace andon::wire {

// Header types that the RPC does not use are decoded so that they can be skipped and re-encoded.
struct EventStreamBytes {
  std::string bytes;
  friend bool operator==(const EventStreamBytes&, const EventStreamBytes&) = default;
};
struct EventStreamTimestamp {
  std::int64_t millis = 0;
  friend bool operator==(const EventStreamTimestamp&, const EventStreamTimestamp&) = default;
};
struct EventStreamUuid {
  std::string bytes;  // 16
  friend bool operator==(const EventStreamUuid&, const EventStreamUuid&) = default;
};
using EventStreamValue =
    std::variant<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, EventStreamBytes,
                 std::string, EventStreamTimestamp, EventStreamUuid>;

struct EventStreamHeader {
  std::string name;
  EventStreamValue value;
  friend bool operator==(const EventStreamHeader&, const EventStreamHeader&) = default;
};

struct EventStreamMessage {
  std::vector<EventStreamHeader> headers;
  std::string payload;
  // Of a frame over the decoder's limit, whose payload was passed over: its length.
  std::size_t too_large_bytes = 0;

  // Nothing for an absent header or one of another type.
  [[nodiscard]] std::optional<std::int32_t> int32(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
};

// The complete frame. Throws invalid_argument for a name over 255 bytes, a text over 32767 bytes,
// more than 128 KiB of headers or 24 MiB of payload.
[[nodiscard]] std::string encode_event_stream(const EventStreamMessage& message);

// What becomes of a frame over the limit: the stream is lost; or its headers come as a message,
// without the payload, which is never held.
enum class Oversize { refused, passed_over };

// Takes bytes as they arrive and gives messages. After it has thrown (data_corrupted: a checksum or
// a malformed header; resource_exhausted: a frame over the limit) the stream is lost: close it.
class EventStreamDecoder {
 public:
  static constexpr std::size_t kMaxFrameBytes = 24U << 20U;  // the limit of AWS's own library

  explicit EventStreamDecoder(std::size_t max_frame_bytes = kMaxFrameBytes,
                              Oversize oversize = Oversize::refused)
      : max_frame_bytes_(max_frame_bytes), oversize_(oversize) {}

  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<EventStreamMessage> next();
  // Bytes of a frame that is not complete yet.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - begin_; }

 private:
  struct PassedOver {
    EventStreamMessage message;
    std::size_t left = 0;  // bytes of the frame that are still to come, its checksum included
    trust::Crc checksum;
  };
  std::optional<EventStreamMessage> pass_over();

  std::size_t max_frame_bytes_;
  Oversize oversize_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next frame in buffer_
  std::optional<PassedOver> passed_over_;
};

// Event-stream RPC, as the Greengrass nucleus speaks it.
enum class RpcMessageType : std::int32_t {
  application_message = 0,
  application_error = 1,
  ping = 2,
  ping_response = 3,
  connect = 4,
  connect_ack = 5,
  protocol_error = 6,
  internal_error = 7,
};
constexpr std::int32_t kRpcConnectionAccepted = 1;  // flags
constexpr std::int32_t kRpcTerminateStream = 2;

struct RpcMessage {
  RpcMessageType type = RpcMessageType::application_message;
  std::int32_t flags = 0;
  std::int32_t stream_id = 0;
  std::string operation;           // "aws.greengrass#PublishToTopic"; requests only
  std::string service_model_type;  // "aws.greengrass#PublishToTopicRequest"
  std::string version;             // connect only: "0.1.0"
  std::string payload;             // JSON text, may be empty
};

[[nodiscard]] EventStreamMessage to_event_stream(const RpcMessage& message);
// Throws invalid_argument where :message-type, :message-flags or :stream-id is missing or unknown.
[[nodiscard]] RpcMessage to_rpc(const EventStreamMessage& message);

}  // namespace andon::wire
