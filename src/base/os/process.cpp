// SPDX-License-Identifier: Apache-2.0
#include "base/os/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/number.hpp"

extern char** environ;

namespace andon::base {
namespace {

using std::chrono::milliseconds;

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      all[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
  }
  return all;
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::map<std::string, std::string> all;
  if (options.inherited == Inherited::environment) all = own_environment();
  for (const auto& [name, value] : options.environment) all[name] = value;
  std::vector<std::string> entries;
  entries.reserve(all.size());
  for (const auto& [name, value] : all) entries.push_back(name + "=" + value);
  return entries;
}

// To the system a NUL ends a text: what follows would be lost without a word.
void refuse_cut_text(const ProcessOptions& options) {
  const auto refuse = [](const std::string& text, const std::string& what) {
    if (text.find('\0') == std::string::npos) return;
    throw Error(ErrorCode::invalid_argument,
                "cannot start a process: " + what + " holds a NUL character");
  };
  for (const std::string& argument : options.arguments) refuse(argument, "its command");
  for (const auto& [name, value] : options.environment) {
    refuse(name, "the name of a variable");
    refuse(value, "the variable " + name);
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// What the child tells of its failure, over a pipe.
struct StartFailure {
  int error = 0;
  bool in_directory = false;  // the working directory could not be entered
};

// Runs between fork and exec: async-signal-safe calls only.
StartFailure become_child(const ProcessOptions& options, pid_t parent, char* const* argv,
                          char* const* envp) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) return {ESRCH};  // the parent died before prctl
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (options.stdin_fd >= 0 && dup2(options.stdin_fd, STDIN_FILENO) < 0) return {errno};
  if (options.stdout_fd >= 0 && dup2(options.stdout_fd, STDOUT_FILENO) < 0) return {errno};
  if (options.stderr_fd >= 0 && dup2(options.stderr_fd, STDERR_FILENO) < 0) return {errno};
  // Whatever else is open here (sockets of libraries too) is not the child's. What closes by itself
  // at exec must stay open until then: the pipe that tells of a failure.
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return {errno};
  // A user without a group of its own keeps none of ours.
  const bool drops_group = options.group || options.user;
  const gid_t group = options.group.value_or(kNoGroup);
  if (drops_group &&
      (setgroups(options.groups.size(), options.groups.data()) != 0 || setgid(group) != 0)) {
    return {errno};
  }
  if (options.user && setuid(*options.user) != 0) return {errno};
  // A change of credentials clears the death signal.
  if (options.user || options.group) prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!options.working_directory.empty() && chdir(options.working_directory.c_str()) != 0) {
    return {errno, true};
  }
  execvpe(argv[0], argv, envp);
  return {errno};
}

ExitStatus decode(int raw) {
  if (WIFSIGNALED(raw)) return {0, WTERMSIG(raw)};
  return {WEXITSTATUS(raw), 0};
}

}  // namespace

std::string to_string(const ExitStatus& status) {
  if (status.signal == 0) return "exit code " + std::to_string(status.code);
  return "signal " + std::to_string(status.signal) + " (" + strsignal(status.signal) + ")";
}

Process::Process(const ProcessOptions& options) {
  if (options.arguments.empty()) {
    throw Error(ErrorCode::invalid_argument, "cannot start a process: no program was named");
  }
  refuse_cut_text(options);
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> environment = environment_of(options);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);

  int failure_pipe[2];
  if (pipe2(failure_pipe, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
  const UniqueFd read_end(failure_pipe[0]);
  UniqueFd write_end(failure_pipe[1]);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw system_error("cannot fork for '" + arguments.front() + "'", errno);
  if (pid_ == 0) {
    const StartFailure failure = become_child(options, parent, argv.data(), envp.data());
    [[maybe_unused]] const ssize_t written = write(write_end.get(), &failure, sizeof failure);
    _exit(127);
  }
  setpgid(pid_, pid_);  // also here, so that it holds before the first signal_group()
  write_end.reset();
  StartFailure failure;
  ssize_t got = 0;
  do {
    got = read(read_end.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof failure)) {
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    std::string what = "cannot start '" + arguments.front() + "'";
    if (failure.in_directory) {
      what += ": the directory " + options.working_directory.string() + " cannot be entered";
    }
    throw system_error(what, failure.error);
  }
  pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const int open_error = errno;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    throw system_error("cannot watch '" + arguments.front() + "'", open_error);
  }
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      status_(std::exchange(other.status_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    if (pid_ > 0) stop(milliseconds{0});
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    status_ = std::exchange(other.status_, std::nullopt);
  }
  return *this;
}

Process::~Process() {
  if (pid_ > 0) stop(milliseconds{0});
}

std::optional<ExitStatus> Process::poll() {
  if (!status_ && pid_ > 0) {
    int raw = 0;
    const pid_t reaped = waitpid(pid_, &raw, WNOHANG);
    if (reaped == pid_) status_ = decode(raw);
  }
  return status_;
}

std::optional<ExitStatus> Process::wait(milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!poll()) {
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return std::nullopt;
    pollfd waiting{pidfd_.get(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
  }
  return status_;
}

void Process::signal_group(int signal) {
  if (pid_ > 0 && !status_) kill(-pid_, signal);
}

ExitStatus Process::stop(milliseconds grace) {
  if (grace > milliseconds{0}) {
    signal_group(SIGTERM);
    if (wait(grace)) {
      kill(-pid_, SIGKILL);  // what the leader left behind in its group
      return *status_;
    }
  }
  signal_group(SIGKILL);
  while (!wait(milliseconds{60'000})) {
  }
  return *status_;
}

void hide_memory() {
  prctl(PR_SET_DUMPABLE, 0);
}

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
  const auto stat = read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) return std::nullopt;
  // The command (field 2) is in parentheses and may hold blanks: count from the last ')'.
  std::size_t at = stat->rfind(')');
  constexpr int kFieldsBeforeStartTime = 20;
  for (int i = 0; i < kFieldsBeforeStartTime && at != std::string::npos; ++i) {
    at = stat->find(' ', at + 1);
  }
  if (at == std::string::npos) return std::nullopt;
  return parse_integer<std::uint64_t>(
      std::string_view(*stat).substr(at + 1, stat->find(' ', at + 1) - at - 1));
}

}  // namespace andon::base
