// SPDX-License-Identifier: Apache-2.0
// One client of the component IPC: frames in, operations called, frames out. Owned by IpcServer;
// main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/os/file.hpp"
#include "edge/ipc/ipc_call.hpp"
#include "edge/ipc/ipc_server.hpp"
#include "edge/loop/event_loop.hpp"
#include "wire/ipc/event_stream.hpp"

namespace andon::edge {

class IpcConnection : public std::enable_shared_from_this<IpcConnection> {
 public:
  struct Handlers {
    // Its client has shown a token. Null where the component has too many connections already.
    std::function<std::shared_ptr<IpcShare>(const std::string& component)> on_accepted;
    std::function<void()> on_close;
  };

  IpcConnection(EventLoop& loop, base::UniqueFd socket, const IpcOperations& operations,
                const IpcServer::Authenticator& authenticate, const IpcLimits& limits,
                Handlers handlers);
  IpcConnection(const IpcConnection&) = delete;
  IpcConnection& operator=(const IpcConnection&) = delete;
  ~IpcConnection();

  void start();
  void send(const wire::RpcMessage& message);
  // Ends the connection and tells its streams; `on_close` follows.
  void close();

 private:
  class Stream;

  void on_events(std::uint32_t events);
  void read();
  void take_frames();
  void watch_again();
  [[nodiscard]] std::chrono::milliseconds wait_for_quota();
  void go_on();
  void flush();
  void take(const wire::RpcMessage& message);
  void refuse_large(const wire::RpcMessage& message, std::size_t bytes);
  void take_connect(const wire::RpcMessage& message);
  void take_application(const wire::RpcMessage& message);
  void call(const wire::RpcMessage& message, const std::shared_ptr<Stream>& stream);
  void answer(std::int32_t stream_id, const std::string& operation, StreamAfterAnswer after,
              const json::object& response, std::exception_ptr error);
  void end_wait(std::size_t bytes);
  void send_error(std::int32_t stream_id, const std::string& type, const std::string& message,
                  json::object fields);
  void end_stream(std::int32_t stream_id);
  void refuse(wire::RpcMessageType type, const std::string& why);

  EventLoop& loop_;
  base::UniqueFd socket_;
  const IpcOperations& operations_;
  const IpcServer::Authenticator& authenticate_;
  const IpcLimits& limits_;
  Handlers handlers_;
  wire::EventStreamDecoder decoder_;
  std::string unsent_;
  std::string component_;            // empty before the handshake
  std::shared_ptr<IpcShare> share_;  // of the component; null before the handshake
  EventLoop::TimerId quota_timer_ = 0;
  std::map<std::int32_t, std::shared_ptr<Stream>> streams_;
  std::int32_t last_stream_id_ = 0;
  EventLoop::TimerId handshake_timer_ = 0;
  std::size_t unanswered_bytes_ = 0;  // of calls whose answer comes later
  bool paused_ = false;   // too many of them, or its quota is used up: nothing more is read
  bool is_gone_ = false;  // its client; what it has still sent is taken
  bool closed_ = false;
};

}  // namespace andon::edge
