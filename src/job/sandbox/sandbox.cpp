// SPDX-License-Identifier: Apache-2.0
// Two processes are made. The first is the init of the namespaces: it makes the root, starts the
// command, waits for it and for what is orphaned, and when it ends the kernel ends all the others.
// The second gives up every right and becomes the command.
#include "job/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error/error.hpp"
#include "base/os/descriptors.hpp"
#include "job/sandbox/landlock.hpp"
#include "job/sandbox/private_root.hpp"
#include "job/sandbox/system_calls.hpp"

namespace andon::job {
namespace {

using base::Error;
using base::ErrorCode;

// What the init says: a letter, and for a failure its text, for an end the status.
constexpr char kRuns = 'R';
constexpr char kRefused = 'U';
constexpr char kNotFound = 'N';
constexpr char kEnded = 'E';
constexpr int kStartLimitMs = 60'000;
constexpr int kStatusFd = 3;  // in the init
constexpr int kGoFd = 4;

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

// Of one direction, by which open descriptors can be sent, too.
Pipe make_line() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw base::system_error("cannot make a pair of sockets", errno);
  }
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

void say(char what, const std::string& text = {}) {
  const std::string message = what + text;
  [[maybe_unused]] const ssize_t written = write(kStatusFd, message.data(), message.size());
}

// That it runs, with its listeners.
void say_that_it_runs(const std::vector<base::UniqueFd>& listeners) {
  std::vector<int> fds;
  for (const base::UniqueFd& one : listeners) fds.push_back(one.get());
  base::send_descriptors(kStatusFd, {&kRuns, 1}, fds);
}

pid_t command_of_init = -1;

void pass_on_termination(int /*signal*/) {
  if (command_of_init > 0) ::kill(-command_of_init, SIGTERM);
}

void check(int result, const char* what) {
  if (result != 0) throw base::system_error("cannot " + std::string(what), errno);
}

void write_own(const char* file, const std::string& text) {
  const base::UniqueFd fd = base::open_file(file, O_WRONLY);
  base::write_all(fd.get(), text, file);
}

struct Ids {
  uid_t user;
  gid_t group;
};

// The one user there is stays himself. In a new namespace nobody knows his number any more.
void map_user(const Ids& outside) {
  write_own("/proc/self/setgroups", "deny");
  const auto to_itself = [](unsigned id) {
    return std::to_string(id) + " " + std::to_string(id) + " 1";
  };
  write_own("/proc/self/uid_map", to_itself(outside.user));
  write_own("/proc/self/gid_map", to_itself(outside.group));
}

void bring_up_loopback() {
  const base::UniqueFd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any) throw base::system_error("cannot make a socket", errno);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  check(ioctl(any.get(), SIOCSIFFLAGS, &request), "start the loopback of a network");
}

base::UniqueFd listen_on_loopback(std::uint16_t port) {
  constexpr int kBacklog = 64;
  base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!listener ||
      bind(listener.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)),
           sizeof address) != 0 ||
      listen(listener.get(), kBacklog) != 0) {
    throw base::system_error("cannot listen in the network of a sandbox", errno);
  }
  return listener;
}

void drop_rights(const SandboxRules& rules) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    check(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "give up a capability");
  }
  if (rules.user) {
    const auto group = static_cast<gid_t>(*rules.user);
    check(setgroups(0, nullptr), "leave all groups");
    check(setresgid(group, group, group), "change the group");
    check(setresuid(*rules.user, *rules.user, *rules.user), "change the user");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  check(static_cast<int>(syscall(SYS_capset, &header, none.data())), "give up all capabilities");
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up new privileges");
}

// The kernel's memory killer takes it before the server.
void be_the_first_to_go() {
  const base::UniqueFd fd(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (fd) base::write_all(fd.get(), "800", "/proc/self/oom_score_adj");
}

// In the second process; throws, or writes into `failure` why the program cannot be run.
[[noreturn]] void become_command(const SandboxRules& rules, const Command& command, int output,
                                 int failure) {
  setsid();
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const base::UniqueFd nothing = base::open_file("/dev/null", O_RDONLY);
  if (dup2(nothing.get(), STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
      dup2(output, STDERR_FILENO) < 0) {
    throw base::system_error("cannot set the standard streams", errno);
  }
  be_the_first_to_go();
  const bool has_cgroup = !rules.cgroup.empty();
  set_process_limits(rules.limits, has_cgroup, rules.user ? 0 : 1);
  if (chdir(command.directory.c_str()) != 0) {
    throw base::system_error("cannot enter " + command.directory, errno);
  }
  umask(0022);
  drop_rights(rules);
  if (const int version = landlock_version(); version > 0) restrict_with_landlock(rules, version);

  std::vector<std::string> texts;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  for (const auto& [name, value] : command.environment) texts.push_back(name + "=" + value);
  for (std::string& text : texts) environment.push_back(text.data());
  std::vector<std::string> words = command.arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  environment.push_back(nullptr);
  arguments.push_back(nullptr);
  if (const auto path = command.environment.find("PATH"); path != command.environment.end()) {
    setenv("PATH", path->second.c_str(), 1);
  }
  // 0, 1 and 2 stay; what tells of a failure closes at exec.
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    throw base::system_error("cannot close what is open", errno);
  }
  restrict_system_calls(rules.ports.empty() ? Network::its_own : Network::of_the_machine,
                        rules.limits.cpus > 0 && !has_cgroup ? Affinity::fixed : Affinity::free);
  const std::string not_run = kNotFound + ("cannot run '" + words[0] + "': ");
  // From here on there may be no memory for anything.
  if (!has_cgroup) set_memory_limit(rules.limits);
  execvpe(arguments[0], arguments.data(), environment.data());
  const std::string_view why = strerrordesc_np(errno);
  for (const std::string_view part : {std::string_view(not_run), why}) {
    [[maybe_unused]] const ssize_t written = write(failure, part.data(), part.size());
  }
  _exit(127);
}

[[noreturn]] void start_command(const SandboxRules& rules, const Command& command, int output,
                                int failure) {
  try {
    become_command(rules, command, output, failure);
  } catch (const std::exception& error) {
    const std::string text = kRefused + std::string(error.what());
    [[maybe_unused]] const ssize_t written = write(failure, text.data(), text.size());
  }
  _exit(127);
}

// What the other end says until it closes.
std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void run_init(const SandboxRules& rules, const Command& command, int output, const Ids& outside) {
  if (!rules.user) map_user(outside);
  setsid();
  check(sethostname("job", 3), "set the host name");
  if (rules.ports.empty()) bring_up_loopback();
  std::vector<base::UniqueFd> listeners;
  for (const std::uint16_t port : rules.served) listeners.push_back(listen_on_loopback(port));
  enter_private_root(rules);

  struct sigaction passing {};
  passing.sa_handler = pass_on_termination;
  sigaction(SIGTERM, &passing, nullptr);
  sigset_t none;  // who made this takes its signals in its own way
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  Pipe failure = make_pipe();
  command_of_init = fork();
  if (command_of_init < 0) throw base::system_error("cannot fork", errno);
  if (command_of_init == 0) start_command(rules, command, output, failure.write.get());
  failure.write.reset();
  close(output);
  const std::string refused = read_all(failure.read.get());
  if (!refused.empty()) {
    say(refused[0], refused.substr(1));
    return;
  }
  say_that_it_runs(listeners);
  listeners.clear();
  while (true) {
    int raw = 0;
    const pid_t ended = waitpid(-1, &raw, 0);
    if (ended < 0 && errno == EINTR) continue;
    if (ended == command_of_init || ended < 0) {
      say(kEnded, {reinterpret_cast<const char*>(&raw), sizeof raw});
      return;
    }
  }
}

[[noreturn]] void be_init(const SandboxRules& rules, const Command& command, int output, int status,
                          int go, const Ids& outside) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Numbers that are known, and nothing else open. The copies are above what is taken.
  constexpr int kOutputFd = 5;
  constexpr int kAbove = 100;
  const int high_status = fcntl(status, F_DUPFD_CLOEXEC, kAbove);
  const int high_go = fcntl(go, F_DUPFD_CLOEXEC, kAbove);
  const int high_output = fcntl(output, F_DUPFD_CLOEXEC, kAbove);
  dup3(high_status, kStatusFd, O_CLOEXEC);
  dup3(high_go, kGoFd, O_CLOEXEC);
  dup3(high_output, kOutputFd, O_CLOEXEC);
  close_range(kOutputFd + 1, ~0U, 0);
  // Whoever made this may have died before the signal of that was asked for.
  char word = 0;
  if (read(kGoFd, &word, 1) != 1) _exit(0);
  close(kGoFd);
  try {
    run_init(rules, command, kOutputFd, outside);
  } catch (const std::exception& error) {
    say(kRefused, error.what());
  }
  _exit(0);
}

Error refused(const std::string& why) {
  return Error(ErrorCode::unsupported,
               "this machine cannot hold a job in its sandbox: " + why +
                   "; jobs need Linux 5.13 with namespaces for this user; in a container or a "
                   "service those, mounts and Landlock must be allowed (no-functions.conf takes "
                   "them from andon-server.service)");
}

void check_kernel(const SandboxRules& rules) {
  const int version = landlock_version();
  if (!rules.user && version == 0) {
    throw refused(
        "without root it needs Landlock, which this kernel does not have, or which is forbidden "
        "here");
  }
  if (!rules.ports.empty() && version < kLandlockWithScopes) {
    throw refused("ports are allowed one by one with Landlock of version " +
                  std::to_string(kLandlockWithScopes) + " (Linux 6.12), and here is version " +
                  std::to_string(version));
  }
  if (!rules.cgroup.empty()) Cgroup::check(rules.cgroup);
}

}  // namespace

Sandbox::Sandbox(const SandboxRules& rules, const Command& command, int output) {
  check_kernel(rules);
  if (!rules.cgroup.empty()) {
    cgroup_.emplace(rules.cgroup, "job-" + rules.root.parent_path().filename().string(),
                    rules.limits);
  }
  Pipe status = make_line();
  Pipe go = make_pipe();
  unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (rules.ports.empty()) flags |= CLONE_NEWNET;
  if (!rules.user) flags |= CLONE_NEWUSER;
  const Ids outside{geteuid(), getegid()};
  init_ = static_cast<pid_t>(syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (init_ < 0) throw refused("it makes no namespaces: " + std::string(strerror(errno)));
  if (init_ == 0) {
    go.write.reset();
    be_init(rules, command, output, status.write.get(), go.read.get(), outside);
  }
  status.write.reset();
  status_ = std::move(status.read);
  std::string said;
  try {
    if (cgroup_) cgroup_->add(init_);
    [[maybe_unused]] const ssize_t written = write(go.write.get(), "g", 1);
    pollfd waiting{status_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kStartLimitMs) <= 0) throw refused("it did not start in time");
    base::Received first = base::receive_descriptors(status_.get(), 1);
    if (first.bytes.empty()) throw refused("its first process was killed");
    if (first.bytes[0] != kRuns) said = first.bytes + read_all(status_.get());
    listeners_ = std::move(first.descriptors);
  } catch (...) {
    kill();
    throw;
  }
  if (said.empty()) {
    fcntl(status_.get(), F_SETFL, O_NONBLOCK);
    return;
  }
  kill();
  if (said[0] == kNotFound) throw Error(ErrorCode::not_found, said.substr(1));
  throw refused(said.substr(1));
}

Sandbox::~Sandbox() {
  kill();
}

std::optional<base::ExitStatus> Sandbox::poll() {
  if (ended_) return ended_;
  std::array<char, 1 + sizeof(int)> message{};
  const ssize_t got = read(status_.get(), message.data(), message.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (got == static_cast<ssize_t>(message.size()) && message[0] == kEnded) {
    int raw = 0;
    std::memcpy(&raw, &message[1], sizeof raw);
    ended_ = WIFSIGNALED(raw) ? base::ExitStatus{0, WTERMSIG(raw)}
                              : base::ExitStatus{WEXITSTATUS(raw), 0};
  } else {
    ended_ = base::ExitStatus{0, SIGKILL};  // all of it was killed from outside
  }
  return ended_;
}

void Sandbox::terminate() const {
  if (init_ > 0 && !is_over_) ::kill(init_, SIGTERM);
}

void Sandbox::kill() {
  if (init_ <= 0 || is_over_) return;
  ::kill(init_, SIGKILL);
  while (waitpid(init_, nullptr, 0) < 0 && errno == EINTR) {
  }
  is_over_ = true;
}

}  // namespace andon::job
