// SPDX-License-Identifier: Apache-2.0
#include "edge/token_exchange.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "edge/local_http.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;

constexpr std::string_view kPath = "/2016-11-01/credentialprovider";
constexpr std::chrono::minutes kRenewBefore{5};
// A failure is repeated to those who ask for so long, so that they do not storm the server.
constexpr std::chrono::seconds kKeepFailure{10};
constexpr milliseconds kClientDeadline{60'000};
constexpr std::size_t kMaxClients = 32;
constexpr int kBacklog = 16;

const sockaddr* plain(const sockaddr_in& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

std::string error_body(std::string_view message) {
  return base::to_text(json::object{{"message", message}});
}

}  // namespace

TokenExchange::TokenExchange(Parts parts) : parts_(std::move(parts)) {
  listener_ = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* target = static_cast<sockaddr*>(static_cast<void*>(&address));
  if (!listener_ || bind(listener_.get(), plain(address), sizeof address) != 0 ||
      listen(listener_.get(), kBacklog) != 0 || getsockname(listener_.get(), target, &size) != 0) {
    throw base::system_error("cannot listen on 127.0.0.1 for the token exchange", errno);
  }
  port_ = ntohs(address.sin_port);
  parts_.loop.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

TokenExchange::~TokenExchange() {
  parts_.loop.unwatch(listener_.get());
  while (!clients_.empty()) drop(clients_.begin()->first);
}

void TokenExchange::accept_one() {
  base::UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || clients_.size() >= kMaxClients) return;
  const int fd = socket.get();
  Client& client = clients_[fd];
  client.socket = std::move(socket);
  client.deadline = parts_.loop.after(kClientDeadline, [this, fd] { drop(fd); });
  parts_.loop.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { read(fd); });
}

void TokenExchange::read(int fd) {
  Client& client = clients_.at(fd);
  std::array<char, 4096> buffer;
  const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  if (client.waiting) return;
  client.received.append(buffer.data(), static_cast<std::size_t>(got));
  try {
    const auto request = parse_local_http(client.received);
    if (!request) return;
    std::string path = request->path;
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (path != kPath) return answer(fd, 404, error_body("no such path"));
    if (request->method != "GET") return answer(fd, 405, error_body("only GET is possible here"));
    const auto token = request->headers.find("authorization");
    if (token == request->headers.end()) {
      return answer(fd, 400, error_body("the Authorization header is missing"));
    }
    if (!parts_.authenticate(token->second)) {
      return answer(fd, 404, error_body("the token is not known"));
    }
    answer_credentials(fd);
  } catch (const base::Error& error) {
    answer(fd, 400, error_body(error.message()));
  }
}

bool TokenExchange::are_fresh() const {
  if (!credentials_) return false;
  const auto expires = base::parse_iso8601(credentials_->expiration);
  return expires && parts_.clock.now() + kRenewBefore < *expires;
}

void TokenExchange::answer_credentials(int fd) {
  if (are_fresh()) {
    return answer(fd, 200,
                  base::to_text(json::object{{"AccessKeyId", credentials_->access_key_id},
                                             {"SecretAccessKey", credentials_->secret_access_key},
                                             {"Token", credentials_->session_token},
                                             {"Expiration", credentials_->expiration}}));
  }
  if (!failure_.empty() && parts_.clock.now() - failed_at_ < kKeepFailure) {
    return answer(fd, 503, error_body(failure_));
  }
  clients_.at(fd).waiting = true;
  if (!task_) fetch();
}

void TokenExchange::fetch() {
  task_ = std::make_unique<BackgroundTask>(
      parts_.loop, [this] { fetched_ = parts_.fetch(); },
      [this](std::exception_ptr error) { take(error); });
}

void TokenExchange::take(std::exception_ptr error) {
  const std::unique_ptr<BackgroundTask> ended = std::move(task_);
  failure_.clear();
  if (error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& what) {
      failure_ = what.what();
      failed_at_ = parts_.clock.now();
      base::log_warning("no temporary credentials for components", {{"why", failure_}});
    }
  } else {
    credentials_ = std::move(fetched_);
    if (!are_fresh()) {
      failure_ = "the server's credentials have expired already: compare its clock with this one";
      failed_at_ = parts_.clock.now();
    }
  }
  std::vector<int> waiting;
  for (const auto& [fd, client] : clients_) {
    if (client.waiting) waiting.push_back(fd);
  }
  for (const int fd : waiting) answer_credentials(fd);
}

void TokenExchange::answer(int fd, int status, std::string_view body) {
  const std::string text = make_local_http_answer(status, body);
  // Small enough for any socket buffer; a client that went away gets nothing.
  send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(fd, SHUT_WR);
  drop(fd);
}

void TokenExchange::drop(int fd) {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  parts_.loop.unwatch(fd);
  parts_.loop.cancel(found->second.deadline);
  clients_.erase(found);
}

}  // namespace andon::edge
