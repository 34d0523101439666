// SPDX-License-Identifier: Apache-2.0
// The frame, all numbers big endian:
//   u32 total length | u32 length of headers | u32 CRC-32 of these 8 bytes
//   headers: u8 length of name | name | u8 type | value
//   payload
//   u32 CRC-32 of everything before it
#include "wire/ipc/event_stream.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/error/error.hpp"
#include "trust/digests/crc.hpp"

namespace andon::wire {
namespace {

constexpr std::size_t kPreludeBytes = 12;
constexpr std::size_t kOverheadBytes = 16;  // prelude and the last checksum
constexpr std::size_t kMaxHeaderBytes = 128U << 10U;
constexpr std::size_t kMaxTextBytes = 32767;
constexpr std::size_t kUuidBytes = 16;

// The type byte of each header value, as the format numbers them.
enum Type : std::uint8_t {
  type_true = 0,
  type_false = 1,
  type_int8 = 2,
  type_int16 = 3,
  type_int32 = 4,
  type_int64 = 5,
  type_bytes = 6,
  type_text = 7,
  type_timestamp = 8,
  type_uuid = 9,
};

base::Error corrupted(std::string_view why) {
  return {base::ErrorCode::data_corrupted, "an event-stream frame is damaged: " + std::string(why)};
}

template <typename Integer>
void put(std::string& out, Integer value) {
  using Unsigned = std::make_unsigned_t<Integer>;
  const auto bits = static_cast<Unsigned>(value);
  for (std::size_t i = sizeof(Integer); i-- > 0;) {
    out += static_cast<char>(static_cast<std::uint8_t>(bits >> (8 * i)));
  }
}

// Reads forwards; running out of bytes throws.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  std::string_view take(std::size_t count) {
    if (count > bytes_.size()) throw corrupted("a header is cut off");
    const auto taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  template <typename Integer>
  Integer number() {
    using Unsigned = std::make_unsigned_t<Integer>;
    std::uint64_t bits = 0;
    for (const char c : take(sizeof(Integer))) {
      bits = bits << 8U | static_cast<std::uint8_t>(c);
    }
    return static_cast<Integer>(static_cast<Unsigned>(bits));
  }

 private:
  std::string_view bytes_;
};

void put_sized(std::string& out, std::string_view bytes, const std::string& name) {
  if (bytes.size() > kMaxTextBytes) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the event-stream header \"" + name + "\" has " +
                          std::to_string(bytes.size()) + " bytes, more than the 32767 allowed");
  }
  put(out, static_cast<std::uint16_t>(bytes.size()));
  out += bytes;
}

struct ValueWriter {
  std::string& out;
  const std::string& name;

  void operator()(bool value) const { put(out, std::uint8_t{value ? type_true : type_false}); }
  void operator()(std::int8_t value) const { typed(type_int8, value); }
  void operator()(std::int16_t value) const { typed(type_int16, value); }
  void operator()(std::int32_t value) const { typed(type_int32, value); }
  void operator()(std::int64_t value) const { typed(type_int64, value); }
  void operator()(const EventStreamTimestamp& value) const { typed(type_timestamp, value.millis); }
  void operator()(const EventStreamBytes& value) const {
    put(out, std::uint8_t{type_bytes});
    put_sized(out, value.bytes, name);
  }
  void operator()(const std::string& value) const {
    put(out, std::uint8_t{type_text});
    put_sized(out, value, name);
  }
  void operator()(const EventStreamUuid& value) const {
    if (value.bytes.size() != kUuidBytes) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "the event-stream header \"" + name + "\" is a UUID without 16 bytes");
    }
    put(out, std::uint8_t{type_uuid});
    out += value.bytes;
  }

 private:
  template <typename Integer>
  void typed(Type type, Integer value) const {
    put(out, std::uint8_t{type});
    put(out, value);
  }
};

std::string encode_headers(const std::vector<EventStreamHeader>& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    if (name.empty() || name.size() > 255) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "the name of an event-stream header must have 1 to 255 bytes");
    }
    put(out, static_cast<std::uint8_t>(name.size()));
    out += name;
    std::visit(ValueWriter{out, name}, value);
  }
  if (out.size() > kMaxHeaderBytes) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "an event-stream message has more than 128 KiB of headers");
  }
  return out;
}

EventStreamValue read_value(Reader& reader) {
  switch (reader.number<std::uint8_t>()) {
    case type_true:
      return true;
    case type_false:
      return false;
    case type_int8:
      return reader.number<std::int8_t>();
    case type_int16:
      return reader.number<std::int16_t>();
    case type_int32:
      return reader.number<std::int32_t>();
    case type_int64:
      return reader.number<std::int64_t>();
    case type_bytes:
      return EventStreamBytes{std::string(reader.take(reader.number<std::uint16_t>()))};
    case type_text:
      return std::string(reader.take(reader.number<std::uint16_t>()));
    case type_timestamp:
      return EventStreamTimestamp{reader.number<std::int64_t>()};
    case type_uuid:
      return EventStreamUuid{std::string(reader.take(kUuidBytes))};
    default:
      throw corrupted("a header has an unknown type");
  }
}

std::vector<EventStreamHeader> decode_headers(std::string_view bytes) {
  std::vector<EventStreamHeader> headers;
  Reader reader(bytes);
  while (!reader.at_end()) {
    const auto length = reader.number<std::uint8_t>();
    if (length == 0) throw corrupted("a header has no name");
    std::string name(reader.take(length));
    auto value = read_value(reader);
    headers.push_back({std::move(name), std::move(value)});
  }
  return headers;
}

template <typename Value>
std::optional<Value> find_value(const std::vector<EventStreamHeader>& headers,
                                std::string_view name) {
  const auto header = std::find_if(headers.begin(), headers.end(),
                                   [&](const EventStreamHeader& h) { return h.name == name; });
  if (header == headers.end()) return std::nullopt;
  const auto* value = std::get_if<Value>(&header->value);
  return value == nullptr ? std::nullopt : std::optional<Value>(*value);
}

}  // namespace

std::optional<std::int32_t> EventStreamMessage::int32(std::string_view name) const {
  return find_value<std::int32_t>(headers, name);
}

std::optional<std::string> EventStreamMessage::text(std::string_view name) const {
  return find_value<std::string>(headers, name);
}

std::string encode_event_stream(const EventStreamMessage& message) {
  const auto headers = encode_headers(message.headers);
  if (message.payload.size() >
      EventStreamDecoder::kMaxFrameBytes - kOverheadBytes - headers.size()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "an event-stream message of " + std::to_string(message.payload.size()) +
                          " bytes is larger than the 24 MiB allowed");
  }
  std::string frame;
  const auto total = kOverheadBytes + headers.size() + message.payload.size();
  frame.reserve(total);
  put(frame, static_cast<std::uint32_t>(total));
  put(frame, static_cast<std::uint32_t>(headers.size()));
  put(frame, trust::crc32(frame));
  frame += headers;
  frame += message.payload;
  put(frame, trust::crc32(frame));
  return frame;
}

void EventStreamDecoder::feed(std::string_view bytes) {
  // Moves what is left to the front only when that is no more than what was used up, so that each
  // byte is moved at most about once.
  if (begin_ > 0 && begin_ >= buffer_.size() - begin_) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_ += bytes;
}

std::optional<EventStreamMessage> EventStreamDecoder::pass_over() {
  constexpr std::size_t kChecksumBytes = 4;
  const auto rest = std::string_view(buffer_).substr(begin_);
  const auto passed = rest.substr(0, passed_over_->left - kChecksumBytes);
  passed_over_->checksum.update(passed);
  passed_over_->left -= passed.size();
  begin_ += passed.size();
  if (passed_over_->left > kChecksumBytes || rest.size() - passed.size() < kChecksumBytes) {
    return std::nullopt;
  }
  Reader checksum(rest.substr(passed.size(), kChecksumBytes));
  begin_ += kChecksumBytes;
  if (checksum.number<std::uint32_t>() != passed_over_->checksum.value()) {
    throw corrupted("its checksum does not fit");
  }
  std::optional<EventStreamMessage> message = std::move(passed_over_->message);
  passed_over_.reset();
  return message;
}

std::optional<EventStreamMessage> EventStreamDecoder::next() {
  if (passed_over_) return pass_over();
  const auto rest = std::string_view(buffer_).substr(begin_);
  if (rest.size() < kPreludeBytes) return std::nullopt;
  Reader prelude(rest.substr(0, kPreludeBytes));
  const std::size_t total = prelude.number<std::uint32_t>();
  const std::size_t headers_length = prelude.number<std::uint32_t>();
  // The lengths are believed only after their checksum.
  if (prelude.number<std::uint32_t>() != trust::crc32(rest.substr(0, 8))) {
    throw corrupted("the checksum of its beginning does not fit");
  }
  if (total < kOverheadBytes || headers_length > total - kOverheadBytes) {
    throw corrupted("its lengths contradict each other");
  }
  const std::size_t most = oversize_ == Oversize::refused ? max_frame_bytes_ : kMaxFrameBytes;
  if (total > most || headers_length > kMaxHeaderBytes) {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "an event-stream frame of " + std::to_string(total) +
                          " bytes is larger than the " + std::to_string(max_frame_bytes_) +
                          " allowed");
  }
  if (total > max_frame_bytes_) {
    const auto beginning = rest.substr(0, kPreludeBytes + headers_length);
    if (beginning.size() < kPreludeBytes + headers_length) return std::nullopt;
    passed_over_.emplace(PassedOver{{decode_headers(beginning.substr(kPreludeBytes)), {}, total},
                                    total - beginning.size(),
                                    trust::Crc::crc32()});
    passed_over_->checksum.update(beginning);
    begin_ += beginning.size();
    return pass_over();
  }
  if (rest.size() < total) return std::nullopt;
  const auto frame = rest.substr(0, total);
  Reader checksum(frame.substr(total - 4));
  if (checksum.number<std::uint32_t>() != trust::crc32(frame.substr(0, total - 4))) {
    throw corrupted("its checksum does not fit");
  }
  EventStreamMessage message;
  message.headers = decode_headers(frame.substr(kPreludeBytes, headers_length));
  message.payload =
      frame.substr(kPreludeBytes + headers_length, total - kOverheadBytes - headers_length);
  begin_ += total;
  return message;
}

EventStreamMessage to_event_stream(const RpcMessage& message) {
  EventStreamMessage out;
  out.headers = {{":message-type", static_cast<std::int32_t>(message.type)},
                 {":message-flags", message.flags},
                 {":stream-id", message.stream_id}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.headers.push_back({name, value});
  };
  add(":version", message.version);
  add("operation", message.operation);
  add("service-model-type", message.service_model_type);
  const bool application = message.type == RpcMessageType::application_message ||
                           message.type == RpcMessageType::application_error;
  if (application && !message.payload.empty()) add(":content-type", "application/json");
  out.payload = message.payload;
  return out;
}

RpcMessage to_rpc(const EventStreamMessage& message) {
  const auto required = [&](std::string_view name) {
    const auto value = message.int32(name);
    if (!value) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "an RPC message has no header " + std::string(name));
    }
    return *value;
  };
  const auto type = required(":message-type");
  if (type < 0 || type > static_cast<std::int32_t>(RpcMessageType::internal_error)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "an RPC message has the unknown type " + std::to_string(type));
  }
  RpcMessage rpc;
  rpc.type = static_cast<RpcMessageType>(type);
  rpc.flags = required(":message-flags");
  rpc.stream_id = required(":stream-id");
  rpc.operation = message.text("operation").value_or("");
  rpc.service_model_type = message.text("service-model-type").value_or("");
  rpc.version = message.text(":version").value_or("");
  rpc.payload = message.payload;
  return rpc;
}

}  // namespace andon::wire
