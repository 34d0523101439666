// SPDX-License-Identifier: Apache-2.0
// Room: websocket. WebSockets (RFC 6455) that the HTTP server carries, of texts alone.
// One of them, shared by who speaks on it and by the connection that carries it. What is to be sent
// is asked for when there is room for it, so that nothing piles up for a slow client: who speaks
// keeps the newest, and drops what is older. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace andon::wire {

// Status codes of RFC 6455 section 7.4; 4000 to 4999 are the application's own.
struct WebSocketEnd {
  std::uint16_t code = 1000;
  std::string reason;  // at most 123 bytes
};

struct WebSocketParts {
  // A text that has come, at most kMostReceived bytes: on the handlers' threads, one after the
  // other; the next one is read once it returns. Must not throw.
  std::function<void(const std::string& text)> on_text;
  // The next text to send; nothing: there is none until wake(). On the server's I/O thread: must
  // not block, and must not throw.
  std::function<std::optional<std::string>()> next;
  // Once, when it is over or was never begun; on the I/O thread: must not block, must not throw.
  std::function<void()> on_gone;
};

class WebSocket {
 public:
  static constexpr std::size_t kMostReceived = 16U << 10U;
  // Between two texts that are sent: what comes meanwhile is the next one's.
  static constexpr std::chrono::milliseconds kPace{50};

  explicit WebSocket(WebSocketParts parts) : parts_(std::move(parts)) {}

  // There may be something to send.
  void wake();
  // Says why and ends it. The first one counts.
  void end(WebSocketEnd how);

  // --- for the side that carries it
  // `wake` is called at wake() and end(), under a lock: it may do no more than post.
  void begin(std::function<void()> wake);
  void has_gone();
  [[nodiscard]] const WebSocketParts& parts() const { return parts_; }
  [[nodiscard]] std::optional<WebSocketEnd> ending() const;

 private:
  const WebSocketParts parts_;
  mutable std::mutex mutex_;  // guards what follows
  std::function<void()> wake_;
  std::optional<WebSocketEnd> ending_;
  bool is_gone_ = false;
};

// Carries them, for HttpServerOptions::web_sockets.
class WebSocketCarrier;
[[nodiscard]] const WebSocketCarrier& web_socket_carrier();

}  // namespace andon::wire
