// SPDX-License-Identifier: Apache-2.0
// The component IPC of AWS IoT Greengrass: event-stream RPC over a Unix socket, authenticated by
// SVCUID. Owned by the agent; main thread only. A malformed frame, a client that does not read, or
// one over the limits loses its own connection and nothing else. Holds no state over a restart:
// clients connect and subscribe again.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "edge/event_loop.hpp"
#include "edge/ipc_call.hpp"
#include "edge/layout.hpp"

namespace andon::edge {

struct IpcLimits {
  std::size_t connections = 64;
  std::size_t streams_per_connection = 256;
  std::size_t frame_bytes = 1U << 20U;
  std::size_t unsent_bytes = 8U << 20U;
  std::chrono::milliseconds handshake{5000};
};

class IpcConnection;

class IpcServer {
 public:
  // Gives the component whose token it is.
  using Authenticator = std::function<std::optional<std::string>(std::string_view token)>;

  // `operations` is kept by reference and may be filled later.
  IpcServer(EventLoop& loop, const Layout& layout, const IpcOperations& operations,
            Authenticator authenticate, IpcLimits limits = {});
  IpcServer(const IpcServer&) = delete;
  IpcServer& operator=(const IpcServer&) = delete;
  ~IpcServer();

  // What components connect to: <root>/ipc.socket, or a short path of its own where that is longer
  // than a socket address can hold.
  [[nodiscard]] const std::string& socket_path() const { return path_; }
  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }

 private:
  void listen();
  void accept_one();

  EventLoop& loop_;
  const IpcOperations& operations_;
  Authenticator authenticate_;
  IpcLimits limits_;
  std::string path_;
  base::UniqueFd listener_;
  std::map<int, std::shared_ptr<IpcConnection>> connections_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
