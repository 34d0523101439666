// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "edge/ipc_connection.hpp"
#include "trust/digest.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr int kBacklog = 32;

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

std::string choose_path(const fs::path& root) {
  std::string path = (root / "ipc.socket").string();
  if (path.size() > kMaxPath) path = (short_directory(root) / "ipc.socket").string();
  return path;
}

}  // namespace

IpcServer::IpcServer(EventLoop& loop, const Layout& layout, const IpcOperations& operations,
                     Authenticator authenticate, IpcLimits limits)
    : loop_(loop),
      operations_(operations),
      authenticate_(std::move(authenticate)),
      limits_(limits),
      path_(choose_path(layout.root())) {
  listen();
}

IpcServer::~IpcServer() {
  *alive_ = false;
  loop_.unwatch(listener_.get());
  for (const auto& [fd, connection] : std::exchange(connections_, {})) connection->close();
  unlink(path_.c_str());
}

void IpcServer::listen() {
  listener_ = base::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  unlink(path_.c_str());  // of an agent that was killed; the lock on the root says it is gone
  const auto* plain = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (!listener_ || bind(listener_.get(), plain, sizeof address) != 0 ||
      chmod(path_.c_str(), 0666) != 0 || ::listen(listener_.get(), kBacklog) != 0) {
    throw base::system_error("cannot listen at " + path_, errno);
  }
  loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

void IpcServer::accept_one() {
  base::UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  if (connections_.size() >= limits_.connections) {
    base::log_warning("too many processes at the component socket; one was turned away",
                      {{"limit", limits_.connections}});
    return;
  }
  const int fd = socket.get();
  auto connection = std::make_shared<IpcConnection>(
      loop_, std::move(socket), operations_, authenticate_, limits_, [this, fd, alive = alive_] {
        if (*alive) connections_.erase(fd);
      });
  connections_[fd] = connection;
  connection->start();
}

}  // namespace andon::edge
