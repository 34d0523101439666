// SPDX-License-Identifier: Apache-2.0
#include "edge/process/user_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kGlance{200};
// What it has left running may hold its output open.
constexpr std::chrono::milliseconds kAfterEnd{500};

struct Pipe {
  base::UniqueFd reading;
  base::UniqueFd writing;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
  Pipe made{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
  fcntl(made.reading.get(), F_SETFL, O_NONBLOCK);
  return made;
}

base::UniqueFd input_of(const std::string& bytes) {
  if (bytes.empty()) return base::open_file("/dev/null", O_RDONLY);
  base::UniqueFd file(memfd_create("input", MFD_CLOEXEC));
  if (!file) throw base::system_error("cannot hold what is copied", errno);
  base::write_all(file.get(), bytes, "what is copied");
  if (lseek(file.get(), 0, SEEK_SET) != 0) throw base::system_error("cannot seek", errno);
  return file;
}

}  // namespace

base::ExitStatus run_user_process(const UserProcess& wanted, const Cancellation& cancellation,
                                  const std::function<void(std::string_view, bool)>& on_output) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const base::UniqueFd input = input_of(wanted.input);
  base::ProcessOptions options;
  options.arguments = wanted.arguments;
  options.inherited = wanted.inherited;
  options.environment = wanted.environment;
  if (wanted.inherited == base::Inherited::nothing) {
    options.environment.insert(
        {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
         {"HOME", "/"},
         {"LANG", "C.UTF-8"}});
    if (!wanted.who.name.empty()) options.environment["USER"] = wanted.who.name;
  }
  options.working_directory = "/";
  options.stdin_fd = input.get();
  options.stdout_fd = out.writing.get();
  options.stderr_fd = err.writing.get();
  options.user = wanted.who.user;
  options.group = wanted.who.group;
  options.groups = wanted.who.groups;
  base::Process process(options);
  out.writing.reset();
  err.writing.reset();

  std::array<base::UniqueFd*, 2> open{&out.reading, &err.reading};
  const auto read_all = [&] {
    std::array<char, 16384> buffer;
    bool has_more = false;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (!*open.at(i)) continue;
      const ssize_t got = ::read(open.at(i)->get(), buffer.data(), buffer.size());
      if (got > 0) {
        has_more = true;
        on_output({buffer.data(), static_cast<std::size_t>(got)}, i == 1);
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        open.at(i)->reset();
      }
    }
    return has_more;
  };
  std::optional<base::ExitStatus> ended;
  const auto begun = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point give_up{};
  for (;;) {
    const bool is_late = wanted.limit && std::chrono::steady_clock::now() - begun > *wanted.limit;
    if ((is_late || cancellation.cancelled()) && !ended) process.stop(wanted.grace);
    cancellation.throw_if_cancelled();
    if (is_late) {
      throw base::Error(base::ErrorCode::deadline_exceeded,
                        wanted.arguments.front() + " had not ended after " +
                            std::to_string(wanted.limit->count() / 1000) + " s");
    }
    const bool has_more = read_all();
    if (ended && std::chrono::steady_clock::now() > give_up) return *ended;
    if (!has_more) {
      if (ended && !out.reading && !err.reading) return *ended;
      // A descriptor below zero is passed over.
      std::array<pollfd, 3> watched{pollfd{out.reading.get(), POLLIN, 0},
                                    pollfd{err.reading.get(), POLLIN, 0},
                                    pollfd{ended ? -1 : process.exit_fd(), POLLIN, 0}};
      ::poll(watched.data(), watched.size(), static_cast<int>(kGlance.count()));
    }
    if (!ended) {
      ended = process.poll();
      if (ended) give_up = std::chrono::steady_clock::now() + kAfterEnd;
    }
  }
}

}  // namespace andon::edge
