// SPDX-License-Identifier: Apache-2.0
// Serves local_http.hpp on a socket, without a thread and without an HTTP library: its owner waits
// for fd() to be readable, in a loop of any kind, and calls turn(), which never waits. One thread.
// Each connection has one request, and deadlines for sending it, for the answer and for taking
// that; who is too slow or too large loses the connection. Where there are too many, those give way
// that have not sent their request or have their answer, first of the local user who has most of
// them (connection_shares.hpp): so nobody keeps another from being answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/os/file.hpp"
#include "wire/local/connection_shares.hpp"
#include "wire/local/local_http.hpp"

namespace andon::wire {

// shared: other sockets of the same user may be bound to it, too (SO_REUSEPORT).
enum class PortUse { own, shared };

struct LocalHttpLimits {
  LocalHttpSize size;
  ConnectionLimits connections;
  std::chrono::milliseconds deadline{5000};         // to send the request; to take the answer
  std::chrono::milliseconds answer_deadline{5000};  // for the handler
  PortUse port = PortUse::own;
};

class LocalHttpServer {
 public:
  // Ends the request that it came with: once, on the server's thread, at once or later. Does
  // nothing when the client or the server is gone.
  using Reply = std::function<void(const LocalHttpAnswer&)>;
  using Handler = std::function<void(const LocalHttpRequest&, Reply)>;

  // Listens on "ADDRESS:PORT" (IPv4, or "[IPv6]:PORT"; port 0: any free one). Throws
  // invalid_argument for what is no such address, unavailable where it cannot be had.
  LocalHttpServer(const std::string& address, Handler handler, const LocalHttpLimits& limits = {});
  // On a TCP socket that listens already and does not block, perhaps in another network. All who
  // connect there are one user.
  LocalHttpServer(base::UniqueFd listener, Handler handler, const LocalHttpLimits& limits = {});
  LocalHttpServer(const LocalHttpServer&) = delete;
  LocalHttpServer& operator=(const LocalHttpServer&) = delete;
  ~LocalHttpServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Readable when turn() has something to do, deadlines included.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  void turn();

 private:
  using Instant = std::chrono::steady_clock::time_point;
  enum class Phase { reading, waiting, writing, draining };
  struct Connection {
    base::UniqueFd socket;
    Instant deadline;
    Phase phase = Phase::reading;
    std::string received;
    std::string unsent;
  };
  using Id = ConnectionShares::Id;

  enum class Users { told_apart, one };
  void listen(const std::string& address);
  void begin();
  void accept_all();
  void handle(Id id, std::uint32_t events);
  void read(Id id, Connection& connection);
  void answer(Id id, const LocalHttpAnswer& answer);
  void write(Id id, Connection& connection);
  void drop(Id id);
  void drop_late();
  void set_timer();

  Handler handler_;
  LocalHttpLimits limits_;
  base::UniqueFd epoll_;
  base::UniqueFd listener_;
  base::UniqueFd timer_;
  std::uint16_t port_ = 0;
  Users users_ = Users::told_apart;
  std::map<Id, Connection> connections_;
  ConnectionShares shares_;
  Id last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::wire
