// SPDX-License-Identifier: Apache-2.0
#include "edge/process/component_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::edge {
namespace {

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
    : StepProcess(loop, std::move(on_end)), journal_(journal), log_(log), process_(start(order)) {
  lead(process_.pid());
  loop.watch(output_.get(), EPOLLIN, [this](std::uint32_t) { read_output(); });
  loop.watch(process_.exit_fd(), EPOLLIN, [this](std::uint32_t) { on_exit(); });
  if (order.timeout) limit(*order.timeout);
}

ComponentProcess::~ComponentProcess() {
  if (alive()) loop().unwatch(process_.exit_fd());
  if (output_) loop().unwatch(output_.get());
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
  const std::string mark = new_process_mark();
  options.environment[std::string(kProcessMark)] = mark;
  options.working_directory = order.working_directory;
  options.stdout_fd = write_end.get();
  options.stderr_fd = write_end.get();
  options.inherited = base::Inherited::nothing;
  options.user = order.run_as.user;
  options.group = order.run_as.group;
  options.groups = order.run_as.groups;
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
    loop().unwatch(output_.get());
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

void ComponentProcess::on_exit() {
  loop().unwatch(process_.exit_fd());
  // What it wrote last must be in the log before anybody asks why it failed.
  drain_output();
  end({.status = peek_exit(process_.pid()), .last_words = log_.tail()});
}

}  // namespace andon::edge
