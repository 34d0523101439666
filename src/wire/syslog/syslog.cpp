// SPDX-License-Identifier: Apache-2.0
#include "wire/syslog/syslog.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostQueued = 10'000;
constexpr std::size_t kMostQueuedBytes = 16U << 20U;
constexpr int kFacility = 13;
constexpr int kSeverities = 8;
constexpr std::chrono::milliseconds kDeadline{2'000};  // of a connection, and of a message
constexpr std::chrono::milliseconds kBetweenAttempts{1'000};
constexpr std::chrono::milliseconds kFarewell{2'000};

std::string problem_of(std::string_view what, int number) {
  return std::string(what) + ": " + std::error_code(number, std::generic_category()).message();
}

// Waits until a connection that was begun is there.
bool has_connected(int fd, std::string& problem) {
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  if (poll(&waiting, 1, static_cast<int>(kDeadline.count())) <= 0) {
    problem = "no connection in time";
    return false;
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) problem = problem_of("no connection", error);
  return error == 0;
}

bool connect_in_time(int fd, const sockaddr* address, socklen_t size, std::string& problem) {
  if (connect(fd, address, size) == 0) return true;
  if (errno == EINPROGRESS) return has_connected(fd, problem);
  problem = problem_of("no connection", errno);
  return false;
}

base::UniqueFd connect_local(const std::string& path, std::string& problem) {
  base::UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    problem = "the path is too long";
    return {};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  // sockaddr_un is handed over as what every address is.
  const auto* any = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (!connect_in_time(fd.get(), any, sizeof address, problem)) return {};
  return fd;
}

base::UniqueFd connect_to(const SyslogTarget& target, std::string& problem) {
  addrinfo hints{};
  hints.ai_socktype = target.kind == SyslogTarget::Kind::udp ? SOCK_DGRAM : SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found);
      code != 0) {
    problem = std::string("the host is not known: ") + gai_strerror(code);
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    base::UniqueFd fd(socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd && connect_in_time(fd.get(), one->ai_addr, one->ai_addrlen, problem)) return fd;
  }
  return {};
}

bool is_port(std::string_view text) {
  return base::parse_integer<std::uint16_t>(text, 1).has_value();
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "-";
  const std::string text = name.data();
  return text.empty() || !base::is_name_of(text, "-._") ? "-" : text;
}

SyslogTarget parse_syslog_target(std::string_view text) {
  const auto wrong = [&] {
    return Error(ErrorCode::invalid_argument,
                 "'" + std::string(text.substr(0, 200)) +
                     "' is no syslog: write unix:/dev/log, udp:HOST:PORT or tcp:HOST:PORT");
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) throw wrong();
  const std::string_view kind = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 1);
  if (kind == "unix") {
    constexpr std::size_t kMostPath = 107;
    if (!rest.starts_with('/') || rest.size() > kMostPath) throw wrong();
    return {.kind = SyslogTarget::Kind::local, .path = std::string(rest), .host = {}, .port = {}};
  }
  if (kind != "udp" && kind != "tcp") throw wrong();
  const std::size_t last = rest.rfind(':');
  if (last == std::string_view::npos) throw wrong();
  const std::string_view port = rest.substr(last + 1);
  std::string_view host = rest.substr(0, last);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    throw wrong();
  }
  constexpr std::size_t kMostHost = 253;
  if (host.empty() || host.size() > kMostHost || !base::is_name_of(host, "-.:") || !is_port(port)) {
    throw wrong();
  }
  return {.kind = kind == "udp" ? SyslogTarget::Kind::udp : SyslogTarget::Kind::tcp,
          .path = {},
          .host = std::string(host),
          .port = std::string(port)};
}

std::string to_syslog_line(const SyslogMessage& message, std::string_view host,
                           std::string_view program) {
  const int priority = kFacility * kSeverities + static_cast<int>(message.severity);
  return "<" + std::to_string(priority) + ">1 " + base::to_iso8601(message.time) + " " +
         std::string(host) + " " + std::string(program) + " " + std::to_string(getpid()) + " " +
         message.id + " - " + message.text;
}

SyslogSender::SyslogSender(SyslogTarget target, std::string program)
    : target_(std::move(target)), program_(std::move(program)), host_(host_name()) {
  thread_ = std::thread([this] { run(); });
}

SyslogSender::~SyslogSender() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kFarewell, [this] { return queue_.empty(); });
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SyslogSender::send(SyslogMessage message) {
  std::string line = to_syslog_line(message, host_, program_);
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostQueued || queued_bytes_ + line.size() > kMostQueuedBytes) {
      ++counts_.dropped;
      return;
    }
    queued_bytes_ += line.size();
    queue_.push_back(std::move(line));
  }
  changed_.notify_all();
}

SyslogSender::Counts SyslogSender::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void SyslogSender::run() {
  while (true) {
    std::string line;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (is_stopping_) return;
      line = queue_.front();
    }
    if (!deliver(line)) {
      // It stays; the next attempt comes after a pause.
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kBetweenAttempts, [this] { return is_stopping_; });
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      queued_bytes_ -= queue_.front().size();
      queue_.pop_front();
    }
    changed_.notify_all();
  }
}

// False where it is to be tried again.
bool SyslogSender::deliver(const std::string& line) {
  std::string problem;
  if (!connection_) connection_ = open_connection(problem);
  if (connection_ && write_line(line, problem)) {
    const std::lock_guard lock(mutex_);
    ++counts_.sent;
    if (std::exchange(is_dropping_, false)) {
      base::log_info("the audit log's syslog takes messages again", {{"dropped", counts_.dropped}});
    }
    return true;
  }
  if (problem.empty()) return true;  // too large: it is counted, and the next one is sent
  connection_.reset();
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_dropping_, true)) {
    base::log_error("the audit log's syslog cannot be reached: messages wait, and beyond " +
                        std::to_string(kMostQueued) + " they are dropped",
                    {{"reason", problem}});
  }
  return false;
}

base::UniqueFd SyslogSender::open_connection(std::string& problem) const {
  return target_.kind == SyslogTarget::Kind::local ? connect_local(target_.path, problem)
                                                   : connect_to(target_, problem);
}

// False with an empty problem for a message that this way never takes.
bool SyslogSender::write_line(const std::string& line, std::string& problem) {
  const bool is_stream = target_.kind == SyslogTarget::Kind::tcp;
  const std::string framed = is_stream ? std::to_string(line.size()) + " " + line : line;
  std::string_view rest = framed;
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EMSGSIZE) {
      const std::lock_guard lock(mutex_);
      ++counts_.dropped;
      return false;
    }
    const bool must_wait =
        sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS);
    if (!must_wait) {
      problem = problem_of("cannot send", errno);
      return false;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd waiting{.fd = connection_.get(), .events = POLLOUT, .revents = 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      problem = "it takes nothing";
      return false;
    }
  }
  return true;
}

}  // namespace andon::wire
