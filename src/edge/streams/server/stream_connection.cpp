// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_connection.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/log/log.hpp"
#include "base/os/blocking.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

constexpr int kHandshakeVersion = 1;
constexpr std::size_t kReadAtOnce = 64U << 10U;
constexpr int kReadsAtOnce = 16;
// One segment of TCP on the loopback holds it.
constexpr std::size_t kUnitBytes = 16U << 10U;
constexpr int kLongestSendWaitMs = 20;
constexpr std::size_t kLongestRequestId = 255;

// The id that a frame begins with, where the rest of it is not there.
std::string first_id(std::string_view begin) {
  constexpr std::string_view kKey = "requestId";
  const std::size_t at = begin.find(kKey);
  if (at == std::string_view::npos) return "";
  std::string_view rest = begin.substr(at + kKey.size());
  if (rest.size() < 2) return "";
  std::size_t length = static_cast<unsigned char>(rest[0]) - 0x60U;
  std::size_t head = 1;
  if (static_cast<unsigned char>(rest[0]) == 0x78) {
    length = static_cast<unsigned char>(rest[1]);
    head = 2;
  } else if (length >= 24) {
    return "";
  }
  return std::string(rest.substr(head, length));
}

std::string request_id_of(const CborReader& reader) {
  std::string id = reader.required_text("requestId");
  if (id.empty() || id.size() > kLongestRequestId) {
    reader.fail("requestId", "must have 1 to 255 bytes");
  }
  return id;
}

// "1.1.0"
bool is_version(std::string_view text) {
  int dots = 0;
  bool had_digit = false;
  for (const char c : text) {
    if (c == '.' && had_digit) {
      ++dots;
      had_digit = false;
    } else if (c >= '0' && c <= '9') {
      had_digit = true;
    } else {
      return false;
    }
  }
  return dots == 2 && had_digit && text.size() <= 32;
}

StreamReply connect_reply(const std::string& request_id, bool knows_update) {
  CborWriter writer;
  writer.map(6).text("requestId").text(request_id);
  writer.text("status").integer(static_cast<int>(StreamStatus::success));
  writer.text("errorMessage").text("");
  writer.text("protocolVersion").text(knows_update ? "1.1.0" : "1.0.0");
  writer.text("supportedProtocolVersions").array(2).text("1.0.0").text("1.1.0");
  writer.text("serverVersion").text("2.2.0");
  return {static_cast<int>(StreamOperation::connect_response), writer.take()};
}

}  // namespace

StreamConnection::StreamConnection(EventLoop& loop, base::UniqueFd socket,
                                   StreamOperations& operations,
                                   std::shared_ptr<FrameBudget> budget,
                                   std::shared_ptr<Unsent> unsent,
                                   const StreamConnectionLimits& limits, Handlers handlers)
    : loop_(loop),
      socket_(std::move(socket)),
      operations_(operations),
      all_unsent_(std::move(unsent)),
      limits_(limits),
      handlers_(std::move(handlers)),
      reader_(limits.guest, std::move(budget)) {
  const int yes = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

StreamConnection::~StreamConnection() {
  loop_.cancel(handshake_timer_);
  loop_.cancel(send_timer_);
  all_unsent_->bytes -= unsent_;
  if (socket_) loop_.unwatch(socket_.get());
}

void StreamConnection::start() {
  watched_ = EPOLLIN;
  loop_.watch(socket_.get(), EPOLLIN, [weak = weak_from_this()](std::uint32_t events) {
    const base::BlockingAllowed allowed;
    if (const auto self = weak.lock()) self->on_events(events);
  });
  handshake_timer_ = loop_.after(limits_.handshake, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->handshake_timer_ = 0;
    self->close();
  });
}

void StreamConnection::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if (!is_closed_ && (events & EPOLLIN) != 0) read();
  const bool is_over = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (!is_closed_ && is_over && ((events & EPOLLIN) == 0 || (watched_ & EPOLLIN) == 0)) close();
}

bool StreamConnection::is_crowded() const {
  return unsent_ > limits_.unsent_bytes || unanswered_count_ >= limits_.unanswered;
}

void StreamConnection::read() {
  std::array<char, kReadAtOnce> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (int i = 0; i < kReadsAtOnce && !is_closed_ && !is_crowded() && !is_ending_; ++i) {
    const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) return close();
    reader_.feed({buffer.data(), static_cast<std::size_t>(got)});
    take_events();
    // Clients write header and body apart, and would wait for the acknowledgement of the first.
    const int yes = 1;
    if (!is_closed_) setsockopt(socket_.get(), IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
    if (static_cast<std::size_t>(got) < buffer.size()) break;
  }
  watch_again();
}

void StreamConnection::take_events() {
  const std::shared_ptr<StreamConnection> self = shared_from_this();
  const base::BlockingAllowed allowed;
  while (!is_closed_ && !is_ending_ && phase_ != Phase::authenticating && !is_crowded()) {
    const auto event = reader_.next();
    if (!event) break;
    switch (event->kind) {
      case StreamFrameReader::Kind::version:
        take_version(event->operation);
        break;
      case StreamFrameReader::Kind::frame:
        take_frame(event->operation, event->payload);
        break;
      case StreamFrameReader::Kind::too_large:
        take_too_large(event->operation, event->payload);
        break;
      case StreamFrameReader::Kind::malformed:
        close();
        break;
    }
  }
  is_stalled_ = is_crowded();
  if (!is_closed_) flush();
}

void StreamConnection::go_on_soon() {
  if (!is_stalled_ || is_crowded() || is_closed_) return;
  is_stalled_ = false;
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->is_closed_) self->take_events();
  });
}

void StreamConnection::take_version(int version) {
  phase_ = Phase::connect;
  send(std::string(1, static_cast<char>(kHandshakeVersion)));
  if (version == kHandshakeVersion) return;
  refuse("", StreamStatus::unsupported_connect_version, "the handshake's version must be 1");
}

void StreamConnection::take_frame(int operation, std::string_view payload) {
  std::string id;
  std::optional<CborDocument> document;
  try {
    document.emplace(payload);
    id = request_id_of(CborReader(document->root(), "request"));
  } catch (const base::Error& error) {
    if (phase_ != Phase::ready) return refuse("", StreamStatus::invalid_request, error.message());
    id = first_id(payload.substr(0, 512));
    if (id.empty()) return close();  // nobody would know whose answer it is
    const auto reply =
        StreamOperations::failure(operation, id, StreamStatus::invalid_request, error.message());
    return send(encode_frame(reply.operation, reply.payload));
  }
  if (phase_ == Phase::connect) return take_connect(operation, id, document->root());
  const auto slot = std::make_shared<Slot>();
  unanswered_[id].push_back(slot);
  ++unanswered_count_;
  operations_.take(operation, id, document->root(), knows_update_,
                   [weak = weak_from_this(), id, slot](StreamReply reply) {
                     const auto self = weak.lock();
                     if (self) self->answer(id, slot, std::move(reply));
                   });
}

void StreamConnection::take_connect(int operation, const std::string& request_id,
                                    const CborValue& request) {
  if (operation != static_cast<int>(StreamOperation::connect)) {
    return refuse(request_id, StreamStatus::unexpected_operation, "Connect must come first");
  }
  std::string token;
  try {
    const CborReader reader(request, "Connect");
    const std::string version = reader.required_text("protocolVersion");
    if (!is_version(version)) {
      return refuse(request_id, StreamStatus::invalid_protocol_version,
                    "protocolVersion must be three numbers, as in 1.1.0");
    }
    bool is_known = version == "1.1.0" || version == "1.0.0";
    knows_update_ = version == "1.1.0";
    if (const CborValue* others =
            reader.find("otherSupportedProtocolVersions", CborValue::Kind::array)) {
      for (const CborValue& other : others->items) {
        const bool is_good = other.kind == CborValue::Kind::text;
        if (is_known || !is_good || (other.text != "1.0.0" && other.text != "1.1.0")) continue;
        is_known = true;
        knows_update_ = other.text == "1.1.0";
      }
    }
    if (!is_known) {
      return refuse(request_id, StreamStatus::unsupported_protocol_version,
                    "the protocol's versions 1.0.0 and 1.1.0 are possible");
    }
    token = reader.text("authToken").value_or("");
  } catch (const base::Error& error) {
    return refuse(request_id, StreamStatus::invalid_request, error.message());
  }
  phase_ = Phase::authenticating;
  handlers_.authenticate(token, [weak = weak_from_this(), request_id](bool may) {
    const auto self = weak.lock();
    if (!self || self->is_closed_ || self->phase_ != Phase::authenticating) return;
    if (may) return self->accept(request_id);
    base::log_warning("a client of streams was refused: its token is not known");
    self->refuse(request_id, StreamStatus::unauthorized,
                 "the token is not one of a component that runs on this device");
  });
}

void StreamConnection::accept(const std::string& request_id) {
  phase_ = Phase::ready;
  reader_.set_limits(limits_.client);
  loop_.cancel(std::exchange(handshake_timer_, 0));
  handlers_.on_accepted();
  const StreamReply reply = connect_reply(request_id, knows_update_);
  send(encode_frame(reply.operation, reply.payload));
  take_events();
  watch_again();
}

void StreamConnection::refuse(const std::string& request_id, StreamStatus status,
                              std::string_view why) {
  const StreamReply reply = StreamOperations::failure(static_cast<int>(StreamOperation::connect),
                                                      request_id, status, why);
  is_ending_ = true;
  send(encode_frame(reply.operation, reply.payload));
  flush();
}

void StreamConnection::take_too_large(int operation, std::string_view begin) {
  const std::string id = first_id(begin);
  if (phase_ != Phase::ready) {
    return refuse(id, StreamStatus::request_payload_too_large, "the request is too large");
  }
  if (id.empty()) return close();
  const StreamReply reply = StreamOperations::failure(
      operation, id, StreamStatus::request_payload_too_large, "the request is too large");
  send(encode_frame(reply.operation, reply.payload));
}

void StreamConnection::answer(const std::string& request_id, const std::shared_ptr<Slot>& slot,
                              StreamReply reply) {
  if (is_closed_) return;
  slot->reply = std::move(reply);
  const bool was_crowded = is_crowded();
  const auto found = unanswered_.find(request_id);
  if (found == unanswered_.end()) return;
  auto& slots = found->second;
  while (!slots.empty() && slots.front()->reply) {
    send(encode_frame(slots.front()->reply->operation, slots.front()->reply->payload));
    slots.pop_front();
    --unanswered_count_;
  }
  if (slots.empty()) unanswered_.erase(found);
  if (was_crowded && !is_crowded()) watch_again();
  go_on_soon();
}

// Is sent at the end of the turn, together with what else is answered in it.
void StreamConnection::send(std::string frame) {
  if (is_closed_) return;
  unsent_ += frame.size();
  all_unsent_->bytes += frame.size();
  frames_.push_back(std::move(frame));
  if (all_unsent_->bytes > all_unsent_->most) {
    base::log_warning("a client of streams does not read its answers; its connection was closed");
    return close();
  }
  if (send_timer_ != 0) return;
  send_timer_ = loop_.after(milliseconds(0), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->send_timer_ = 0;
    self->flush();
  });
}

void StreamConnection::flush() {
  while (!is_closed_) {
    if (unit_at_ == unit_.size()) {
      unit_.clear();
      unit_at_ = 0;
      if (frames_.empty()) break;
      int queued = 0;
      if (ioctl(socket_.get(), SIOCOUTQ, &queued) == 0 && queued > 0) {
        if (send_timer_ == 0) {
          send_waits_ = std::min(send_waits_ + 1, kLongestSendWaitMs);
          send_timer_ = loop_.after(milliseconds(send_waits_), [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self) return;
            self->send_timer_ = 0;
            self->flush();
          });
        }
        return watch_again();
      }
      send_waits_ = 0;
      unit_ = std::move(frames_.front());
      frames_.pop_front();
      while (!frames_.empty() && unit_.size() + frames_.front().size() <= kUnitBytes) {
        unit_ += frames_.front();
        frames_.pop_front();
      }
    }
    const ssize_t sent = ::send(socket_.get(), unit_.data() + unit_at_, unit_.size() - unit_at_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return watch_again();
    if (sent < 0) return close();
    unit_at_ += static_cast<std::size_t>(sent);
    unsent_ -= static_cast<std::size_t>(sent);
    all_unsent_->bytes -= static_cast<std::size_t>(sent);
  }
  if (is_closed_) return;
  if (unit_.capacity() > kReadAtOnce) std::string().swap(unit_);
  if (is_ending_) return close();
  watch_again();
  go_on_soon();
}

void StreamConnection::watch_again() {
  if (is_closed_) return;
  const bool reads = !is_crowded() && !is_ending_ && phase_ != Phase::authenticating;
  const bool is_partial = unit_at_ < unit_.size();
  const std::uint32_t wanted = (reads ? EPOLLIN : 0U) | (is_partial ? EPOLLOUT : 0U);
  if (wanted != watched_) {
    loop_.change(socket_.get(), wanted);
    watched_ = wanted;
  }
}

void StreamConnection::close() {
  if (std::exchange(is_closed_, true)) return;
  const std::shared_ptr<StreamConnection> self = shared_from_this();
  loop_.unwatch(socket_.get());
  loop_.cancel(std::exchange(handshake_timer_, 0));
  loop_.cancel(std::exchange(send_timer_, 0));
  all_unsent_->bytes -= std::exchange(unsent_, 0);
  frames_.clear();
  unanswered_.clear();
  socket_.reset();
  handlers_.on_close();
}

}  // namespace andon::edge
