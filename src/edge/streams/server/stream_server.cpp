// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "base/os/local_peer.hpp"
#include "edge/streams/server/stream_connection.hpp"
#include "wire/local/connection_shares.hpp"

namespace andon::edge {
namespace {

constexpr int kBacklog = 256;
constexpr wire::ConnectionLimits kConnections{
    .all = 512, .of_user = 384, .guests = 64, .guests_of_user = 32};

sockaddr* plain(sockaddr_in& address) {
  return static_cast<sockaddr*>(static_cast<void*>(&address));
}

}  // namespace

// All that belongs to the server's thread.
class StreamServer::Inside {
 public:
  Inside(EventLoop& loop, const Options& options, int listener)
      : loop_(loop),
        options_(options),
        listener_(listener),
        store_(options.root, {}),
        exporter_({loop,
                   store_,
                   clock_,
                   options.world,
                   options.export_threads,
                   [this](MessageStream& stream) { operations_.appended(stream); },
                   {}}),
        operations_({loop, store_, exporter_, clock_}) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, stream] : store_.all()) ids.push_back(id);
    for (const std::uint64_t id : ids) {
      exporter_.take(*store_.find(id));
      if (store_.is_retired(id)) exporter_.removed(id, StreamStore::Removed::retired);
    }
    loop_.watch(listener_, EPOLLIN, [this](std::uint32_t) { accept_one(); });
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    loop_.unwatch(listener_);
    *alive_ = false;
    for (const auto& [id, connection] : std::exchange(connections_, {})) connection->close();
    store_.close();
  }

 private:
  void accept_one() {
    base::UniqueFd socket(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    const std::uint64_t id = ++last_id_;
    if (const auto leaves = shares_.admit(id, base::peer_user(socket.get()))) {
      if (*leaves == id) return;
      drop(*leaves);
    }
    StreamConnection::Handlers handlers;
    handlers.authenticate = options_.authenticate;
    handlers.on_accepted = [this, id, alive = alive_] {
      if (*alive) shares_.hold(id);
    };
    handlers.on_close = [this, id, alive = alive_] {
      if (!*alive) return;
      shares_.remove(id);
      connections_.erase(id);
    };
    auto connection = std::make_shared<StreamConnection>(
        loop_, std::move(socket), operations_, budget_, unsent_, limits_, std::move(handlers));
    connections_[id] = connection;
    connection->start();
  }

  void drop(std::uint64_t id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const std::shared_ptr<StreamConnection> connection = found->second;
    connection->close();
  }

  EventLoop& loop_;
  const Options& options_;
  int listener_;
  base::SystemClock clock_;
  StreamStore store_;
  Exporter exporter_;
  StreamOperations operations_;
  StreamConnectionLimits limits_;
  std::shared_ptr<FrameBudget> budget_ = std::make_shared<FrameBudget>();
  std::shared_ptr<StreamConnection::Unsent> unsent_ = std::make_shared<StreamConnection::Unsent>();
  wire::ConnectionShares shares_{kConnections};
  std::map<std::uint64_t, std::shared_ptr<StreamConnection>> connections_;
  std::uint64_t last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

StreamServer::StreamServer(Options options, base::UniqueFd listener)
    : options_(std::move(options)), listener_(std::move(listener)), thread_([this] { run(); }) {}

StreamServer::~StreamServer() {
  loop_->stop();
  base::may_block("a join");
  thread_.join();
}

void StreamServer::run() {
  try {
    Inside inside(*loop_, options_, listener_.get());
    loop_->run();
  } catch (const std::exception& error) {
    base::log_error("streams are not there",
                    {{"directory", options_.root.string()}, {"why", error.what()}});
    options_.on_failure(error.what());
  }
}

base::UniqueFd listen_on_loopback(std::uint16_t port) {
  base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!listener || setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(listener.get(), plain(address), sizeof address) != 0 ||
      ::listen(listener.get(), kBacklog) != 0) {
    throw base::system_error("cannot listen on 127.0.0.1:" + std::to_string(port), errno);
  }
  return listener;
}

std::uint16_t port_of(const base::UniqueFd& listener) {
  sockaddr_in address{};
  socklen_t bytes = sizeof address;
  if (getsockname(listener.get(), plain(address), &bytes) != 0) return 0;
  return ntohs(address.sin_port);
}

}  // namespace andon::edge
