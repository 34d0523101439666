// SPDX-License-Identifier: Apache-2.0
#include "keep/keeper/keeper.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "keep/keeper/sandbox.hpp"
#include "keep/record/log_file.hpp"
#include "keep/record/order.hpp"
#include "keep/record/state_file.hpp"

namespace andon::keep {
namespace {

constexpr int kControl = STDIN_FILENO;
constexpr int kLock = STDOUT_FILENO;
constexpr int kOrderSeconds = 10;
constexpr int kGlanceMs = 10'000;  // whether the file is still there
constexpr int kReads = 8;          // of output at a time
constexpr gid_t kNoGroup = 65534;

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

bool receive(void* place, std::size_t size) {
  auto* bytes = static_cast<char*>(place);
  while (size > 0) {
    const ssize_t got = recv(kControl, bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

void say(std::int32_t error, Stage stage) {
  const Answer answer{error, stage};
  [[maybe_unused]] const ssize_t sent = send(kControl, &answer, sizeof answer, MSG_NOSIGNAL);
}

// Before it can start anything. What cannot be had is told, and it runs all the same: a limit must
// not stop a line.
Answer join_cgroups(const OrderView& order) {
  Answer answer;
  for (std::size_t i = 0; i < order.cgroup_count; ++i) {
    const int file = open(order.cgroups[i], O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, "0", 1) != 1) answer = {errno, Stage::cgroup};
    if (file >= 0) close(file);
  }
  return answer;
}

// Between fork and exec.
Answer become(const OrderView& order, pid_t keeper, int output) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) return {ESRCH, Stage::process};
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2}) {
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
      dup2(output, STDERR_FILENO) < 0 ||
      close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    return {errno, Stage::process};
  }
  if (order.sandbox != 0 && !enter_sandbox(order)) return {errno, Stage::sandbox};
  const bool has_user = order.user != kOwn;
  const bool has_group = order.group != kOwn;
  if (has_user || has_group) {
    // A user without a group of its own keeps none of ours.
    const gid_t group = has_group ? static_cast<gid_t>(order.group) : kNoGroup;
    if (setgroups(order.group_count, order.groups) != 0 || setgid(group) != 0 ||
        (has_user && setuid(static_cast<uid_t>(order.user)) != 0)) {
      return {errno, Stage::user};
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // the change has cleared it
  }
  if (*order.working_directory != '\0' && chdir(order.working_directory) != 0) {
    return {errno, Stage::directory};
  }
  if (order.sandbox != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return {errno, Stage::sandbox};
  }
  char shell[] = "/bin/sh";
  char option[] = "-c";
  char* const arguments[] = {shell, option, const_cast<char*>(order.script), nullptr};
  execve(shell, arguments, order.environment);
  return {errno, Stage::program};
}

class Keeper {
 public:
  // Both paths outlive it.
  Keeper(const OrderView& order, const char* log_file, const char* state_file)
      : log_(log_file, order.log_bytes, order.log_files_kept, order.log_bytes_per_second),
        state_file_(state_file) {}

  bool start(const OrderView& order) {
    int output[2];
    int failure[2];
    int gate[2];
    if (pipe2(output, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(failure, O_CLOEXEC) != 0 ||
        pipe2(gate, O_CLOEXEC) != 0) {
      say(errno, Stage::process);
      return false;
    }
    fcntl(output[1], F_SETFL, 0);
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, nullptr);
    for (const int number : {SIGINT, SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2}) signal(number, SIG_IGN);
    signals_ = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    const pid_t own = getpid();
    leader_ = signals_ < 0 ? -1 : fork();
    if (leader_ < 0) {
      say(errno, Stage::process);
      return false;
    }
    if (leader_ == 0) {
      // Not before there is a file that tells of it.
      close(gate[1]);
      char go = 0;
      if (read(gate[0], &go, 1) != 1) _exit(127);
      Answer answer = join_cgroups(order);
      [[maybe_unused]] ssize_t written = 0;
      if (answer.error != 0) written = write(failure[1], &answer, sizeof answer);
      answer = become(order, own, output[1]);
      written = write(failure[1], &answer, sizeof answer);
      _exit(127);
    }
    setpgid(leader_, leader_);
    close(output[1]);
    close(failure[1]);
    close(gate[0]);
    output_ = output[0];
    if (!create_state_file(state_file_, own, leader_)) {
      say(errno, Stage::state_file);
      return false;
    }
    [[maybe_unused]] const ssize_t opened = write(gate[1], "g", 1);
    close(gate[1]);
    Answer answer;
    Stage lacking = Stage::none;
    ssize_t got = 0;
    do {
      got = read(failure[0], &answer, sizeof answer);
      if (got != static_cast<ssize_t>(sizeof answer)) continue;
      if (answer.stage != Stage::cgroup) {
        close(failure[0]);
        say(answer.error, answer.stage);
        return false;
      }
      lacking = answer.stage;
    } while (got > 0 || (got < 0 && errno == EINTR));
    close(failure[0]);
    say(0, lacking);
    return true;
  }

  // Until it is released, or nobody can release it any more.
  void go() {
    while (true) {
      pollfd waiting[2] = {{signals_, POLLIN, 0}, {output_, POLLIN, 0}};
      if (::poll(waiting, 2, kGlanceMs) == 0) log_.write("", 0);
      read_output();
      if (!has_ended_) look_for_end();
      signalfd_siginfo signal{};
      while (read(signals_, &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
        if (signal.ssi_signo == static_cast<std::uint32_t>(SIGTERM)) return;
      }
      struct stat status {};
      if (fstat(kLock, &status) != 0 || status.st_nlink == 0) return;
    }
  }

  // What of the group is left. Its first process is not reaped before: the number stays its own.
  void end_group() const {
    if (leader_ <= 0) return;
    kill(-leader_, SIGKILL);
    waitpid(leader_, nullptr, 0);
  }

 private:
  void read_output() {
    char buffer[4096];
    // Bounded: what the group still writes must not keep the keeper here.
    for (int i = 0; i < kReads && output_ >= 0; ++i) {
      const ssize_t got = read(output_, buffer, sizeof buffer);
      if (got > 0) {
        log_.write(buffer, static_cast<std::size_t>(got));
        remember(buffer, static_cast<std::size_t>(got));
        continue;
      }
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(output_);
        output_ = -1;
      }
      return;
    }
  }

  void remember(const char* bytes, std::size_t size) {
    if (size >= kLastWords) {
      std::memcpy(state_.words, bytes + size - kLastWords, kLastWords);
      state_.word_count = kLastWords;
      return;
    }
    const std::size_t kept =
        state_.word_count + size > kLastWords ? kLastWords - size : state_.word_count;
    std::memmove(state_.words, state_.words + state_.word_count - kept, kept);
    std::memcpy(state_.words + kept, bytes, size);
    state_.word_count = kept + size;
  }

  void look_for_end() {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
      return;
    }
    has_ended_ = true;
    // What it wrote last must be there before anybody asks why it failed.
    read_output();
    state_.has_ended = true;
    state_.ended_ms = monotonic_ms();
    if (info.si_code == CLD_EXITED) {
      state_.code = info.si_status;
    } else {
      state_.signal = info.si_status;
    }
    [[maybe_unused]] const bool is_written = write_end(state_file_, state_);
  }

  LogFile log_;
  const char* state_file_;
  KeptState state_;
  int signals_ = -1;
  int output_ = -1;
  pid_t leader_ = -1;
  bool has_ended_ = false;
};

bool take_path(char (&place)[PATH_MAX], const char* path) {
  const std::size_t size = std::strlen(path) + 1;
  if (size > sizeof place) return false;
  std::memcpy(place, path, size);
  return true;
}

int keep() {
  setsid();
  prctl(PR_SET_NAME, "andon-keeper");
  prctl(PR_SET_DUMPABLE, 0);
  const timeval limit{kOrderSeconds, 0};
  setsockopt(kControl, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::uint32_t size = 0;
  if (!receive(&size, sizeof size) || size == 0 || size > kMostOrderBytes) return 1;
  auto* const bytes = static_cast<char*>(std::malloc(size));
  if (bytes == nullptr || !receive(bytes, size)) return 1;
  static OrderView order;
  if (!parse_order(bytes, size, order)) {
    say(EINVAL, Stage::order);
    return 1;
  }
  static char log_file[PATH_MAX];
  static char state_file[PATH_MAX];
  if (!take_path(log_file, order.log_file) || !take_path(state_file, order.state_file)) {
    say(ENAMETOOLONG, Stage::order);
    return 1;
  }
  Keeper keeper(order, log_file, state_file);
  const bool runs = keeper.start(order);
  // The variables have secrets, and the keeper has no more use for them.
  explicit_bzero(bytes, size);
  std::free(bytes);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, kControl);
  if (runs) keeper.go();
  keeper.end_group();
  return runs ? 0 : 1;
}

}  // namespace

int keep_in_background() {
  if (chdir("/") != 0) return 1;
  const pid_t child = fork();
  if (child < 0) return 1;
  return child == 0 ? keep() : 0;
}

}  // namespace andon::keep
