// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/starter.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/descriptors.hpp"
#include "base/text/id.hpp"

namespace andon::functions {

Starter::Starter(Options options) : options_(std::move(options)), thread_([this] { work(); }) {}

Starter::~Starter() {
  stop();
}

void Starter::start(Request request) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(request));
  changed_.notify_one();
}

void Starter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Starter::work() {
  while (true) {
    Request request;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      request = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      request.started(begin(request));
    } catch (...) {
      request.failed(std::current_exception());
    }
  }
}

StartedSandbox Starter::begin(const Request& request) const {
  const RoleCredentials credentials = options_.credentials(request.plan);
  job::JobOrder order = order_of(request.plan, options_.site, credentials, request.stream);
  order.rules.user = request.user;
  const std::string text = to_text(order);

  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw base::system_error("cannot make a pair of sockets", errno);
  }
  base::UniqueFd control(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
  base::UniqueFd output(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);

  base::ProcessOptions options;
  options.arguments = {options_.program.string(), "--serve",
                       (options_.directory / base::random_uuid()).string()};
  options.inherited = base::Inherited::nothing;
  options.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  options.working_directory = "/";
  options.stdin_fd = theirs.get();
  options.stdout_fd = write_end.get();
  base::Process keeper(options);
  base::send_descriptors(control.get(), text, {});
  fcntl(control.get(), F_SETFL, O_NONBLOCK);
  return {std::move(keeper), std::move(control), std::move(output), credentials.expires};
}

}  // namespace andon::functions
