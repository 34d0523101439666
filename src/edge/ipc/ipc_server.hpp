// SPDX-License-Identifier: Apache-2.0
// The component IPC of AWS IoT Greengrass: event-stream RPC over a Unix socket, authenticated by
// SVCUID. Owned by the agent; main thread only. A malformed frame, a client that does not read, or
// one over the limits loses its own connection and nothing else. Connections that have not shown a
// token are few for each local user, and the oldest gives way to the next; those that have are few
// for each component, and so are its streams on all of them. Who sends more messages than the quota
// is read from more slowly. Holds no state over a restart: clients connect and subscribe again.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log/log_throttle.hpp"
#include "edge/ipc/ipc_call.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/state/layout.hpp"
#include "wire/local/connection_shares.hpp"

namespace andon::edge {

// The path of a device's socket: <root>/NAME, or a short one elsewhere, whose directory is made,
// where that is longer than an address can hold.
[[nodiscard]] std::string ipc_socket_path(const Layout& layout, const std::string& name);

struct IpcLimits {
  // All components may have one user.
  wire::ConnectionLimits connections{.all = 256, .of_user = 192};
  std::size_t connections_of_component = 32;
  std::size_t streams_of_component = 1024;
  // On the long run, and so many at once.
  std::size_t messages_per_second = 20'000;
  std::size_t streams_per_connection = 256;
  std::size_t frame_bytes = 1U << 20U;
  std::size_t unsent_bytes = 8U << 20U;
  // Of requests that wait for the disk; a connection with more is not read from meanwhile.
  std::size_t unanswered_bytes = 1U << 20U;
  std::chrono::milliseconds handshake{5000};
};

// What one component has of the server, on all of its connections together.
struct IpcShare {
  std::size_t connections = 0;
  std::size_t streams = 0;
  double messages = 0;  // that it may still send at once
  LoopClock::Instant counted_at;
};

// Where the socket is, and whom the file system lets in.
struct IpcSocket {
  std::string name = "ipc.socket";  // below the device's root
  unsigned mode = 0666;
  std::optional<gid_t> group = std::nullopt;
};

class IpcConnection;

class IpcServer {
 public:
  // Gives the component whose token it is.
  using Authenticator = std::function<std::optional<std::string>(std::string_view token)>;

  // `operations` is kept by reference and may be filled later.
  IpcServer(EventLoop& loop, const Layout& layout, const IpcOperations& operations,
            Authenticator authenticate, IpcLimits limits = {}, IpcSocket socket = {});
  IpcServer(const IpcServer&) = delete;
  IpcServer& operator=(const IpcServer&) = delete;
  ~IpcServer();

  // What components connect to: <root>/ipc.socket, or a short path of its own where that is longer
  // than a socket address can hold.
  [[nodiscard]] const std::string& socket_path() const { return path_; }
  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }
  // Called when a component has its first connection, and when its last one is gone.
  using OnClient = std::function<void(const std::string& component, bool has_client)>;
  void on_client(OnClient tell) { on_client_ = std::move(tell); }

 private:
  void listen();
  void accept_one();
  void drop(std::uint64_t id);
  std::shared_ptr<IpcShare> accepted(std::uint64_t id, const std::string& component);
  void closed(std::uint64_t id);
  void warn_of_crowd(std::string_view what, const std::string& who);

  EventLoop& loop_;
  const IpcOperations& operations_;
  Authenticator authenticate_;
  IpcLimits limits_;
  IpcSocket socket_;
  std::string path_;
  base::UniqueFd listener_;
  std::map<std::uint64_t, std::shared_ptr<IpcConnection>> connections_;
  wire::ConnectionShares shares_;
  std::map<std::uint64_t, std::string> components_;  // by connection
  std::map<std::string, std::shared_ptr<IpcShare>> component_shares_;
  OnClient on_client_;
  std::uint64_t last_id_ = 0;
  base::LogThrottle crowds_{std::chrono::minutes{1}};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
