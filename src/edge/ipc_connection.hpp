// SPDX-License-Identifier: Apache-2.0
// One client of the component IPC: frames in, operations called, frames out. Owned by IpcServer;
// main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/file.hpp"
#include "edge/event_loop.hpp"
#include "edge/ipc_call.hpp"
#include "edge/ipc_server.hpp"
#include "wire/event_stream.hpp"

namespace andon::edge {

class IpcConnection : public std::enable_shared_from_this<IpcConnection> {
 public:
  IpcConnection(EventLoop& loop, base::UniqueFd socket, const IpcOperations& operations,
                const IpcServer::Authenticator& authenticate, const IpcLimits& limits,
                std::function<void()> on_close);
  IpcConnection(const IpcConnection&) = delete;
  IpcConnection& operator=(const IpcConnection&) = delete;
  ~IpcConnection();

  void start();
  void send(const wire::RpcMessage& message);
  // Ends the connection and tells its streams; `on_close` of the constructor follows.
  void close();

 private:
  class Stream;

  void on_events(std::uint32_t events);
  void read();
  void flush();
  void take(const wire::RpcMessage& message);
  void take_connect(const wire::RpcMessage& message);
  void take_application(const wire::RpcMessage& message);
  void call(const wire::RpcMessage& message, const std::shared_ptr<Stream>& stream);
  void send_error(std::int32_t stream_id, const std::string& type, const std::string& message,
                  json::object fields);
  void end_stream(std::int32_t stream_id);
  void refuse(wire::RpcMessageType type, const std::string& why);

  EventLoop& loop_;
  base::UniqueFd socket_;
  const IpcOperations& operations_;
  const IpcServer::Authenticator& authenticate_;
  const IpcLimits& limits_;
  std::function<void()> on_close_;
  wire::EventStreamDecoder decoder_;
  std::string unsent_;
  std::string component_;  // empty before the handshake
  std::map<std::int32_t, std::shared_ptr<Stream>> streams_;
  std::int32_t last_stream_id_ = 0;
  EventLoop::TimerId handshake_timer_ = 0;
  bool closed_ = false;
};

}  // namespace andon::edge
