// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/ipc_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/local_peer.hpp"
#include "edge/ipc/ipc_connection.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr int kBacklog = 256;

// A directory with a short name that belongs to this user alone.
fs::path short_directory(const fs::path& root) {
  const std::string name = "andon-edge-" + std::to_string(geteuid()) + '-' +
                           trust::sha256_hex(root.string()).substr(0, 12);
  fs::path directory = fs::path("/tmp") / name;
  mkdir(directory.c_str(), 0711);
  struct stat status {};
  if (lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != geteuid()) {
    throw base::Error(base::ErrorCode::failed_precondition,
                      "the component socket needs the directory " + directory.string() +
                          ", which belongs to somebody else; remove it, or use a shorter --root");
  }
  chmod(directory.c_str(), 0711);
  return directory;
}

}  // namespace

std::string ipc_socket_path(const Layout& layout, const std::string& name) {
  std::string path = (layout.root() / name).string();
  if (path.size() > kMaxPath) path = (short_directory(layout.root()) / name).string();
  return path;
}

IpcServer::IpcServer(EventLoop& loop, const Layout& layout, const IpcOperations& operations,
                     Authenticator authenticate, IpcLimits limits, IpcSocket socket)
    : loop_(loop),
      operations_(operations),
      authenticate_(std::move(authenticate)),
      limits_(limits),
      socket_(std::move(socket)),
      path_(ipc_socket_path(layout, socket_.name)),
      shares_(limits.connections) {
  listen();
}

IpcServer::~IpcServer() {
  *alive_ = false;
  loop_.unwatch(listener_.get());
  for (const auto& [id, connection] : std::exchange(connections_, {})) connection->close();
  unlink(path_.c_str());
}

void IpcServer::listen() {
  listener_ = base::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  unlink(path_.c_str());  // of an agent that was killed; the lock on the root says it is gone
  const auto* plain = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  // Nobody may connect before the socket is whose it is to be.
  const mode_t usual = umask(0177);
  const bool is_bound = listener_ && bind(listener_.get(), plain, sizeof address) == 0;
  const int why = errno;
  umask(usual);
  errno = why;
  const bool is_owned =
      is_bound && (!socket_.group || chown(path_.c_str(), geteuid(), *socket_.group) == 0);
  if (!is_owned || chmod(path_.c_str(), socket_.mode) != 0 ||
      ::listen(listener_.get(), kBacklog) != 0) {
    throw base::system_error("cannot listen at " + path_, errno);
  }
  loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

void IpcServer::accept_one() {
  base::UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  const std::uint64_t id = ++last_id_;
  const auto user = base::peer_user(socket.get());
  if (const auto leaves = shares_.admit(id, user)) {
    warn_of_crowd(
        "too many connections at the component socket: those that have not shown a token give way",
        "user " + (user ? std::to_string(*user) : std::string("unknown")));
    if (*leaves == id) return;
    drop(*leaves);
  }
  IpcConnection::Handlers handlers;
  handlers.on_accepted = [this, id, alive = alive_](const std::string& component) {
    return *alive ? accepted(id, component) : nullptr;
  };
  handlers.on_close = [this, id, alive = alive_] {
    if (*alive) closed(id);
  };
  auto connection = std::make_shared<IpcConnection>(loop_, std::move(socket), operations_,
                                                    authenticate_, limits_, std::move(handlers));
  connections_[id] = connection;
  connection->start();
}

std::shared_ptr<IpcShare> IpcServer::accepted(std::uint64_t id, const std::string& component) {
  std::shared_ptr<IpcShare>& share = component_shares_[component];
  if (!share) {
    share = std::make_shared<IpcShare>();
    share->messages = static_cast<double>(limits_.messages_per_second);
    share->counted_at = loop_.now();
  }
  if (share->connections >= limits_.connections_of_component) {
    warn_of_crowd("a component has too many connections: the next was refused", component);
    return nullptr;
  }
  ++share->connections;
  shares_.hold(id);
  const bool is_first = share->connections == 1;
  components_[id] = component;
  const std::shared_ptr<IpcShare> given = share;
  if (is_first && on_client_) on_client_(component, true);
  return given;
}

void IpcServer::closed(std::uint64_t id) {
  shares_.remove(id);
  connections_.erase(id);
  const auto gone = components_.extract(id);
  if (gone.empty()) return;
  const auto share = component_shares_.find(gone.mapped());
  if (--share->second->connections > 0) return;
  component_shares_.erase(share);
  if (on_client_) on_client_(gone.mapped(), false);
}

// Once a minute: who crowds the socket must not fill the log, too.
void IpcServer::warn_of_crowd(std::string_view what, const std::string& who) {
  const auto count = crowds_.happened(1, loop_.now());
  if (count) base::log_warning(what, {{"who", who}, {"count", *count}});
}

void IpcServer::drop(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const std::shared_ptr<IpcConnection> connection = found->second;  // close() takes it off the map
  connection->close();
}

}  // namespace andon::edge
