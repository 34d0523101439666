// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/ipc_connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

using wire::RpcMessage;
using wire::RpcMessageType;

constexpr std::string_view kNamespace = "aws.greengrass#";
// So long a connection is left alone that has used up its quota, so that it is not looked at for
// each of its messages.
constexpr std::chrono::milliseconds kQuotaPause{20};
constexpr base::JsonLimits kPayloadLimits{.max_bytes = 1U << 20U, .max_depth = 32};

}  // namespace

class IpcConnection::Stream final : public IpcStream {
 public:
  Stream(std::weak_ptr<IpcConnection> connection, std::int32_t id)
      : connection_(std::move(connection)), id_(id) {}

  void send_event(std::string_view type, const json::object& event) override {
    const std::shared_ptr<IpcConnection> connection = connection_.lock();
    if (!connection || closed_) return;
    RpcMessage message;
    message.stream_id = id_;
    message.service_model_type = std::string(kNamespace) + std::string(type);
    message.payload = base::to_text(event);
    connection->send(message);
  }

  void on_close(std::function<void()> handler) override { handlers_.push_back(std::move(handler)); }

  void close() {
    closed_ = true;
    for (const auto& handler : std::exchange(handlers_, {})) handler();
  }

 private:
  std::weak_ptr<IpcConnection> connection_;
  std::int32_t id_;
  bool closed_ = false;
  std::vector<std::function<void()>> handlers_;
};

IpcConnection::IpcConnection(EventLoop& loop, base::UniqueFd socket,
                             const IpcOperations& operations,
                             const IpcServer::Authenticator& authenticate, const IpcLimits& limits,
                             Handlers handlers)
    : loop_(loop),
      socket_(std::move(socket)),
      operations_(operations),
      authenticate_(authenticate),
      limits_(limits),
      handlers_(std::move(handlers)),
      decoder_(limits.frame_bytes, wire::Oversize::passed_over) {}

IpcConnection::~IpcConnection() {
  loop_.cancel(handshake_timer_);
  loop_.cancel(quota_timer_);
  if (socket_) loop_.unwatch(socket_.get());
}

void IpcConnection::start() {
  loop_.watch(socket_.get(), EPOLLIN, [weak = weak_from_this()](std::uint32_t events) {
    if (const auto self = weak.lock()) self->on_events(events);
  });
  handshake_timer_ = loop_.after(limits_.handshake, [this] {
    handshake_timer_ = 0;
    close();
  });
}

void IpcConnection::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & EPOLLHUP) != 0) {  // what the client has still sent, and the end
    paused_ = false;
    is_gone_ = true;
  }
  if (!closed_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void IpcConnection::read() {
  std::array<char, 16384> buffer;
  const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close();
  decoder_.feed({buffer.data(), static_cast<std::size_t>(got)});
  take_frames();
}

void IpcConnection::take_frames() {
  try {
    while (!closed_) {
      if (unanswered_bytes_ > limits_.unanswered_bytes) {
        paused_ = true;
        return watch_again();
      }
      if (const auto wait = wait_for_quota(); wait.count() > 0) {
        paused_ = true;
        quota_timer_ = loop_.after(wait, [weak = weak_from_this()] {
          const auto self = weak.lock();
          if (!self) return;
          self->quota_timer_ = 0;
          self->go_on();
        });
        return watch_again();
      }
      const auto frame = decoder_.next();
      if (!frame) return;
      if (share_) share_->messages -= 1;
      if (frame->too_large_bytes > 0) {
        refuse_large(wire::to_rpc(*frame), frame->too_large_bytes);
      } else {
        take(wire::to_rpc(*frame));
      }
    }
  } catch (const base::Error& error) {
    refuse(RpcMessageType::protocol_error, error.message());
  }
}

// Nothing where there is some of it left.
std::chrono::milliseconds IpcConnection::wait_for_quota() {
  if (!share_ || is_gone_) return {};
  const auto most = static_cast<double>(limits_.messages_per_second);
  const std::chrono::duration<double> elapsed = loop_.now() - share_->counted_at;
  share_->counted_at = loop_.now();
  share_->messages = std::min(most, share_->messages + elapsed.count() * most);
  return share_->messages >= 1 ? std::chrono::milliseconds{0} : kQuotaPause;
}

void IpcConnection::go_on() {
  if (quota_timer_ != 0 || unanswered_bytes_ > limits_.unanswered_bytes) return;
  paused_ = false;
  watch_again();
  take_frames();
}

void IpcConnection::watch_again() {
  if (closed_) return;
  const std::uint32_t input = paused_ ? 0U : EPOLLIN;
  loop_.change(socket_.get(), unsent_.empty() ? input : input | EPOLLOUT);
}

void IpcConnection::take(const RpcMessage& message) {
  switch (message.type) {
    case RpcMessageType::connect:
      return take_connect(message);
    case RpcMessageType::ping:
      return send({.type = RpcMessageType::ping_response, .payload = message.payload});
    case RpcMessageType::ping_response:
      return;
    case RpcMessageType::application_message:
      if (component_.empty()) {
        return refuse(RpcMessageType::protocol_error, "a connect message must come first");
      }
      return take_application(message);
    default:
      return refuse(RpcMessageType::protocol_error, "this message type is the server's");
  }
}

// The call is lost, and the connection with its other streams is not.
void IpcConnection::refuse_large(const RpcMessage& message, std::size_t bytes) {
  const std::string why = "the message has " + std::to_string(bytes) + " bytes; at most " +
                          std::to_string(limits_.frame_bytes) + " are taken";
  const bool is_call = message.type == RpcMessageType::application_message && !component_.empty() &&
                       message.stream_id > last_stream_id_;
  if (!is_call) return refuse(RpcMessageType::protocol_error, why);
  last_stream_id_ = message.stream_id;
  send_error(message.stream_id, "InvalidArgumentsError", why, {});
}

void IpcConnection::take_connect(const RpcMessage& message) {
  std::optional<std::string> component;
  if (component_.empty() && message.version.starts_with("0.1.")) {
    const json::value payload =
        base::parse_json(message.payload, "connect message", kPayloadLimits);
    component = authenticate_(base::JsonReader(payload, "connect message").string("authToken"));
  }
  if (!component) {
    base::log_warning("a process was refused at the component socket");
    send({.type = RpcMessageType::connect_ack});
    return close();
  }
  component_ = *component;
  loop_.cancel(std::exchange(handshake_timer_, 0));
  share_ = handlers_.on_accepted(component_);
  if (!share_) {
    send({.type = RpcMessageType::connect_ack});
    return close();
  }
  send({.type = RpcMessageType::connect_ack, .flags = wire::kRpcConnectionAccepted});
}

void IpcConnection::take_application(const RpcMessage& message) {
  const std::int32_t id = message.stream_id;
  if (streams_.contains(id)) {
    // Greengrass has no operation with a second message from the client: it can only end.
    if ((message.flags & wire::kRpcTerminateStream) != 0) end_stream(id);
    return;
  }
  if (id <= last_stream_id_) {
    // The end of a stream that has ended here already.
    if ((message.flags & wire::kRpcTerminateStream) != 0 && id > 0) return;
    return refuse(RpcMessageType::protocol_error, "stream ids must rise");
  }
  last_stream_id_ = id;
  if (streams_.size() >= limits_.streams_per_connection) {
    return send_error(id, "ServiceError", "too many open streams on this connection", {});
  }
  if (share_->streams >= limits_.streams_of_component) {
    return send_error(id, "ServiceError", "too many open streams of this component", {});
  }
  const auto stream = std::make_shared<Stream>(weak_from_this(), id);
  streams_[id] = stream;
  ++share_->streams;
  call(message, stream);
}

void IpcConnection::call(const RpcMessage& message, const std::shared_ptr<Stream>& stream) {
  const std::int32_t id = message.stream_id;
  const bool known_namespace = message.operation.starts_with(kNamespace);
  const std::string name = known_namespace ? message.operation.substr(kNamespace.size()) : "";
  const auto operation = operations_.find(name);
  if (operation == operations_.end()) {
    RpcMessage answer;
    answer.type = RpcMessageType::application_error;
    answer.flags = wire::kRpcTerminateStream;
    answer.stream_id = id;
    answer.service_model_type = "aws#UnsupportedOperation";
    const std::string text = "this agent does not have the operation '" + message.operation + "'";
    answer.payload = base::to_text(json::object{{"message", text}, {"_message", text}});
    send(answer);
    return end_stream(id);
  }
  const StreamAfterAnswer after = operation->second.after;
  try {
    json::value request = json::object{};
    if (!message.payload.empty()) {
      request = base::parse_json(message.payload, name + " request", kPayloadLimits);
    }
    if (!request.is_object()) throw invalid_arguments(name + " request must be an object");
    const IpcCall call{component_, name, std::move(request.get_object()), stream};
    if (operation->second.handle) {
      return answer(id, name, after, operation->second.handle(call), nullptr);
    }
    const std::size_t bytes = message.payload.size();
    operation->second.handle_later(
        call, [weak = weak_from_this(), id, name, after, bytes](const json::object& response,
                                                                std::exception_ptr error) {
          const auto self = weak.lock();
          if (!self) return;
          self->answer(id, name, after, response, std::move(error));
          self->end_wait(bytes);
        });
    unanswered_bytes_ += bytes;
  } catch (const base::Error&) {
    answer(id, name, after, {}, std::current_exception());
  }
}

void IpcConnection::end_wait(std::size_t bytes) {
  unanswered_bytes_ -= std::min(unanswered_bytes_, bytes);
  if (paused_) go_on();
}

void IpcConnection::answer(std::int32_t id, const std::string& operation, StreamAfterAnswer after,
                           const json::object& response, std::exception_ptr error) {
  if (!streams_.contains(id)) return;  // the client has ended it meanwhile
  try {
    if (error) std::rethrow_exception(error);
    RpcMessage message;
    message.stream_id = id;
    const bool closes = after == StreamAfterAnswer::closes;
    message.flags = closes ? wire::kRpcTerminateStream : 0;
    message.service_model_type = std::string(kNamespace) + operation + "Response";
    message.payload = base::to_text(response);
    send(message);
    if (closes) end_stream(id);
  } catch (const IpcError& wrong) {
    send_error(id, wrong.type(), wrong.message(), wrong.fields());
  } catch (const base::Error& wrong) {
    const bool is_bad = wrong.code() == base::ErrorCode::invalid_argument;
    send_error(id, is_bad ? "InvalidArgumentsError" : "ServiceError", wrong.message(), {});
  }
}

void IpcConnection::send_error(std::int32_t stream_id, const std::string& type,
                               const std::string& message, json::object fields) {
  // "message" is in the service model; the underscored ones are what other agents send as well.
  fields["message"] = message;
  fields["_message"] = message;
  fields["_errorCode"] = type;
  RpcMessage answer;
  answer.type = RpcMessageType::application_error;
  answer.flags = wire::kRpcTerminateStream;
  answer.stream_id = stream_id;
  answer.service_model_type = std::string(kNamespace) + type;
  answer.payload = base::to_text(fields);
  send(answer);
  end_stream(stream_id);
}

void IpcConnection::end_stream(std::int32_t stream_id) {
  const auto found = streams_.find(stream_id);
  if (found == streams_.end()) return;
  const std::shared_ptr<Stream> stream = found->second;
  streams_.erase(found);
  --share_->streams;
  stream->close();
}

void IpcConnection::refuse(RpcMessageType type, const std::string& why) {
  base::log_warning("a component's connection was closed",
                    {{"component", component_.empty() ? "unknown" : component_}, {"why", why}});
  send({.type = type, .payload = base::to_text(json::object{{"message", why}})});
  close();
}

void IpcConnection::send(const RpcMessage& message) {
  if (closed_) return;
  const bool was_empty = unsent_.empty();
  unsent_ += wire::encode_event_stream(wire::to_event_stream(message));
  if (was_empty) flush();
  if (!closed_ && unsent_.size() > limits_.unsent_bytes) {
    base::log_warning("a component does not read its messages; its connection was closed",
                      {{"component", component_}});
    close();
  }
}

void IpcConnection::flush() {
  while (!unsent_.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return watch_again();
    if (sent < 0) return close();
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
  unsent_.shrink_to_fit();
  watch_again();
}

void IpcConnection::close() {
  if (std::exchange(closed_, true)) return;
  const std::shared_ptr<IpcConnection> self = shared_from_this();
  loop_.unwatch(socket_.get());
  loop_.cancel(std::exchange(handshake_timer_, 0));
  loop_.cancel(std::exchange(quota_timer_, 0));
  if (share_) share_->streams -= streams_.size();
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->close();
  socket_.reset();
  handlers_.on_close();
}

}  // namespace andon::edge
