// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/context.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

std::atomic<bool> g_interrupted{false};  // set by the signal handler, so it cannot be a member

std::uint16_t bindable_port(std::uint16_t wanted) {
  const base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw base::system_error("cannot make a socket", errno);
  const int reuse = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(wanted);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), plain, size) != 0) return wanted == 0 ? std::uint16_t{0} : bindable_port(0);
  getsockname(fd.get(), plain, &size);
  return ntohs(address.sin_port);
}

}  // namespace

DemoPorts choose_ports() {
  return {bindable_port(8080), bindable_port(8443), bindable_port(8883)};
}

void note_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupted = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool interrupted() {
  return g_interrupted;
}

DemoContext::DemoContext(const DemoOptions& demo_options)
    : options(demo_options),
      output(demo_options.out),
      state(output.state()),
      deadline(std::chrono::steady_clock::now() + demo_options.timeout),
      ports(choose_ports()),
      results(demo_options.images, demo_options.out),
      processes(terminal) {}

bool DemoContext::may_pass(const Error& error) {
  return error.code() == ErrorCode::unavailable || error.code() == ErrorCode::deadline_exceeded;
}

void DemoContext::idle(std::chrono::milliseconds duration) {
  if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
  processes.check();
  results.process(duration);
}

void DemoContext::wait_until(const std::string& what, const std::function<bool()>& condition) {
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorCode::deadline_exceeded,
                  fmt::format("{} has not happened within {} s (--timeout); the logs are in {}",
                              what, options.timeout.count(), state.string()));
    }
    idle(std::chrono::milliseconds{20});
  }
}

}  // namespace andon::cli
