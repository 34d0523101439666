// SPDX-License-Identifier: Apache-2.0
#include "edge/component_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/id.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

// Between SIGTERM and SIGKILL for a step that has run out of time.
constexpr milliseconds kTimeoutGrace{2000};

// The status of a child that has exited, without reaping it: as long as it is a zombie its process
// group number cannot become somebody else's.
base::ExitStatus peek_exit(pid_t pid) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  if (info.si_code == CLD_EXITED) return {info.si_status, 0};
  return {0, info.si_status};
}

}  // namespace

ComponentProcess::ComponentProcess(EventLoop& loop, ProcessJournal& journal, ComponentLog& log,
                                   const ProcessOrder& order,
                                   std::function<void(const ProcessEnd&)> on_end)
    : loop_(loop),
      journal_(journal),
      log_(log),
      on_end_(std::move(on_end)),
      process_(start(order)) {
  loop_.watch(output_.get(), EPOLLIN, [this](std::uint32_t) { read_output(); });
  loop_.watch(process_.exit_fd(), EPOLLIN, [this](std::uint32_t) { end(); });
  if (order.timeout) {
    deadline_ = loop_.after(*order.timeout, [this] {
      deadline_ = 0;
      timed_out_ = true;
      const bool was_asked = asked_;
      terminate(kTimeoutGrace);
      asked_ = was_asked;
    });
  }
}

ComponentProcess::~ComponentProcess() {
  loop_.cancel(deadline_);
  loop_.cancel(kill_);
  if (!ended_) loop_.unwatch(process_.exit_fd());
  if (output_) loop_.unwatch(output_.get());
  // The leader is alive or a zombie, so the number is still this group's.
  ::kill(-process_.pid(), SIGKILL);
  journal_.remove(process_.pid());
}

base::Process ComponentProcess::start(const ProcessOrder& order) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
  output_ = base::UniqueFd(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);

  base::ProcessOptions options;
  options.arguments = {"/bin/sh", "-c", order.script};
  options.environment = order.environment;
  const std::string mark = base::random_text(16, "abcdefghijklmnopqrstuvwxyz0123456789");
  options.environment[std::string(kProcessMark)] = mark;
  options.working_directory = order.working_directory;
  options.stdout_fd = write_end.get();
  options.stderr_fd = write_end.get();
  options.user = order.user;
  options.group = order.group;
  base::Process process(options);
  journal_.add(process.pid(), order.component, mark);
  return process;
}

bool ComponentProcess::read_output() {
  std::array<char, 16384> buffer;
  const ssize_t got = read(output_.get(), buffer.data(), buffer.size());
  if (got > 0) {
    log_.write({buffer.data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    loop_.unwatch(output_.get());
    output_.reset();
  }
  return false;
}

void ComponentProcess::drain_output() {
  // Bounded: what the rest of the group still writes must not keep the loop here.
  constexpr int kReads = 8;
  for (int i = 0; i < kReads && output_; ++i) {
    if (!read_output()) return;
  }
}

void ComponentProcess::end() {
  ended_ = true;
  loop_.unwatch(process_.exit_fd());
  loop_.cancel(std::exchange(deadline_, 0));
  loop_.cancel(std::exchange(kill_, 0));
  // What it wrote last must be in the log before anybody asks why it failed.
  drain_output();
  const ProcessEnd end{peek_exit(process_.pid()), timed_out_, asked_};
  const auto on_end = std::move(on_end_);
  on_end(end);
}

void ComponentProcess::terminate(milliseconds grace) {
  asked_ = true;
  if (ended_) return;
  ::kill(-process_.pid(), SIGTERM);
  loop_.cancel(kill_);
  kill_ = loop_.after(grace, [this] {
    kill_ = 0;
    ::kill(-process_.pid(), SIGKILL);
  });
}

}  // namespace andon::edge
