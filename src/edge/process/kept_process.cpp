// SPDX-License-Identifier: Apache-2.0
#include "edge/process/kept_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "keep/record/order.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of a keeper: it reads its order and starts a program.
constexpr milliseconds kStartLimit{10'000};
constexpr milliseconds kSlowestLook{100};
constexpr milliseconds kFirstReap{200};
constexpr milliseconds kLastReap{60'000};
constexpr milliseconds kFirstCgroupEnd{5};

fs::path find_keeper() {
  constexpr std::string_view kName = "andon-keeper";
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& candidate : {here / kName, here / "../lib/andon" / kName}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return here / kName;  // the start says that it is missing
}

base::UniqueFd open_process(pid_t pid) {
  return base::UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

bool has_exited(const base::UniqueFd& process) {
  pollfd waiting{process.get(), POLLIN, 0};
  return !process || ::poll(&waiting, 1, 0) > 0;
}

// A keeper is nobody's child but init's; an agent that is a container's first process is that.
void reap_later(EventLoop& loop, const std::shared_ptr<base::UniqueFd>& keeper,
                milliseconds delay) {
  loop.after(delay, [&loop, keeper, delay] {
    siginfo_t info{};
    const int result = waitid(P_PIDFD, static_cast<id_t>(keeper->get()), &info, WEXITED | WNOHANG);
    if (result == 0 && info.si_pid == 0 && delay < kLastReap) reap_later(loop, keeper, delay * 4);
  });
}

class Deadline {
 public:
  // Waits for `events`; throws where time is up.
  void wait_for(int fd, short events) const {
    const auto left = std::chrono::ceil<milliseconds>(at_ - steady_clock::now()).count();
    pollfd waiting{fd, events, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0) return;
    throw base::Error(base::ErrorCode::unavailable, "its keeper did not answer in time");
  }

 private:
  steady_clock::time_point at_ = steady_clock::now() + kStartLimit;
};

void send_order(int socket, std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    deadline.wait_for(socket, POLLOUT);
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) throw base::system_error("its keeper does not listen", errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

keep::Answer receive_answer(int socket, const Deadline& deadline) {
  deadline.wait_for(socket, POLLIN);
  keep::Answer answer;
  const ssize_t got = recv(socket, &answer, sizeof answer, MSG_DONTWAIT | MSG_WAITALL);
  if (got != static_cast<ssize_t>(sizeof answer)) {
    throw base::Error(base::ErrorCode::unavailable, "its keeper ended without a word");
  }
  return answer;
}

void require_started(const keep::Answer& answer, const ProcessOrder& order) {
  if (answer.error == 0) return;
  std::string what = "cannot start '/bin/sh'";
  if (answer.stage == keep::Stage::directory) {
    what += ": the directory " + order.working_directory.string() + " cannot be entered";
  } else if (answer.stage == keep::Stage::user) {
    what += " as another user";
  } else if (answer.stage == keep::Stage::sandbox) {
    what += " in its sandbox";
  } else if (answer.stage == keep::Stage::state_file) {
    what += ": its state cannot be written down";
  }
  throw base::system_error(what, answer.error);
}

// Its cgroup goes when the last of its processes is gone, which takes a moment.
void end_cgroup_later(EventLoop& loop, const ComponentCgroup& cgroup, milliseconds delay) {
  cgroup.kill();
  if (cgroup.remove() || delay > kLastReap) return;
  loop.after(delay, [&loop, cgroup, delay] { end_cgroup_later(loop, cgroup, delay * 4); });
}

int flags_of(SandboxLevel level) {
  switch (level) {
    case SandboxLevel::none:
      return 0;
    case SandboxLevel::guarded:
      return keep::kGuarded;
    case SandboxLevel::strict:
      return keep::kGuarded | keep::kOwnTmp;
    case SandboxLevel::offline:
      return keep::kGuarded | keep::kOwnTmp | keep::kOffline;
  }
  return 0;
}

keep::Order to_order(const ComponentLog& log, const ProcessOrder& order, const KeptPlace& place,
                     const ComponentCgroup& cgroup) {
  keep::Order all;
  all.script = order.script;
  all.working_directory = order.working_directory.string();
  all.log_file = log.path().string();
  all.log_bytes = log.rotation().max_bytes;
  all.log_files_kept = log.rotation().files_kept;
  all.log_bytes_per_second = log.rotation().bytes_per_second;
  all.state_file = place.state().string();
  if (order.run_as.user) all.user = *order.run_as.user;
  if (order.run_as.group) all.group = *order.run_as.group;
  all.groups = order.run_as.groups;
  all.cgroups = cgroup.entrances();
  all.sandbox = flags_of(order.sandbox.level);
  all.places = order.sandbox.places;
  all.environment = order.environment;
  return all;
}

}  // namespace

KeptProcess::KeptProcess(EventLoop& loop, ProcessJournal& journal, const ComponentLog& log,
                         const ProcessOrder& order, KeptRecord record,
                         std::function<void(const ProcessEnd&)> on_end)
    : StepProcess(loop, std::move(on_end)),
      journal_(journal),
      place_{journal.kept_directory(order.component)},
      record_(std::move(record)) {
  record_.component = order.component;
  record_.mark = new_process_mark();
  record_.boot = boot_id();
  record_.started = loop.now();
  if (order.timeout) record_.deadline = loop.now() + *order.timeout;
  cgroup_ = journal.cgroups().make(order.component + '.' + record_.mark);
  record_.cgroups = cgroup_.directories();
  limit_to(order.limits);
  try {
    start(log, order);
  } catch (const base::Error&) {
    end_cgroup_later(loop, cgroup_, kFirstCgroupEnd);
    std::error_code gone;
    fs::remove_all(place_.directory, gone);
    throw;
  }
  watch();
  if (order.timeout) limit(*order.timeout);
}

KeptProcess::KeptProcess(EventLoop& loop, ProcessJournal& journal, KeptRecord record,
                         std::function<void(const ProcessEnd&)> on_end)
    : StepProcess(loop, std::move(on_end)),
      journal_(journal),
      place_{journal.kept_directory(record.component)},
      record_(std::move(record)),
      cgroup_(record_.cgroups) {
  const auto state = kept_state(place_);
  if (state && has_keeper(place_)) keeper_ = open_process(state->keeper);
  // Asked again: the numbers are theirs only while the lock is held.
  if (keeper_ && !has_keeper(place_)) keeper_.reset();
  if (keeper_) lead(state->leader);
  lacks_client_ = record_.has_client;
  was_alone_ = !keeper_ || state->has_ended;
  if (!was_alone_) {
    watch();
    const auto left =
        record_.deadline ? *record_.deadline - loop.now() : LoopClock::Instant::duration{};
    if (record_.deadline) {
      limit(std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds{0}));
    }
    return;
  }
  loop.post([this, alive = alive_] {
    if (*alive) look_for_end();
  });
}

KeptProcess::~KeptProcess() {
  *alive_ = false;
  loop().cancel(look_);
  if (exit_) loop().unwatch(exit_.get());
  if (keeper_) loop().unwatch(keeper_.get());
  if (is_left_) return;
  if (keeper_ && !has_exited(keeper_)) {
    // Its keeper has not reaped it: the number is still this group's.
    ::kill(-pid(), SIGKILL);
    syscall(SYS_pidfd_send_signal, keeper_.get(), SIGTERM, nullptr, 0);
    reap_later(loop(), std::make_shared<base::UniqueFd>(std::move(keeper_)), kFirstReap);
  } else if (const auto state = kept_state(place_)) {
    journal_.kill_group(state->leader, record_.mark);
  }
  end_cgroup_later(loop(), cgroup_, kFirstCgroupEnd);
  std::error_code gone;
  fs::remove_all(place_.directory, gone);
}

void KeptProcess::start(const ComponentLog& log, const ProcessOrder& order) {
  std::error_code gone;
  fs::remove_all(place_.directory, gone);
  base::make_directories(place_.directory, 0700);
  write_kept_record(place_.directory, record_);
  const base::UniqueFd lock = base::open_file(place_.lock(), O_RDWR | O_CREAT, 0600);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    throw base::system_error("cannot lock " + place_.lock().string(), errno);
  }
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw base::system_error("cannot make a socket", errno);
  }
  const base::UniqueFd own(ends[0]);
  base::UniqueFd theirs(ends[1]);
  const base::UniqueFd nothing = base::open_file("/dev/null", O_RDWR);

  base::ProcessOptions options;
  options.arguments = {find_keeper().string(), place_.directory.string()};
  options.inherited = base::Inherited::nothing;
  options.stdin_fd = theirs.get();
  options.stdout_fd = lock.get();
  options.stderr_fd = journal_.held_fd().value_or(nothing.get());
  const Deadline deadline;
  ProcessOrder marked = order;
  marked.environment[std::string(kProcessMark)] = record_.mark;
  base::Process first(options);
  theirs.reset();
  send_order(own.get(), keep::to_bytes(to_order(log, marked, place_, cgroup_)), deadline);
  const keep::Answer answer = receive_answer(own.get(), deadline);
  require_started(answer, order);
  if (answer.stage == keep::Stage::cgroup) {
    cgroup_ = ComponentCgroup();
    limit_to(order.limits);
  }
  static_cast<void>(first.wait(kStartLimit));  // it has nothing to do but end
  const auto state = kept_state(place_);
  if (state) keeper_ = open_process(state->keeper);
  if (!keeper_) throw base::Error(base::ErrorCode::unavailable, "its keeper has ended");
  lead(state->leader);
}

void KeptProcess::watch() {
  exit_ = open_process(pid());
  if (exit_) {
    loop().watch(exit_.get(), EPOLLIN, [this](std::uint32_t) {
      loop().unwatch(exit_.get());
      exit_.reset();
      look_for_end();
    });
  }
  loop().watch(keeper_.get(), EPOLLIN, [this](std::uint32_t) {
    loop().unwatch(keeper_.get());
    if (alive()) look_for_end();
  });
  if (!exit_) look_for_end();
}

// The keeper sees the end when the agent does, and writes it down a moment later.
void KeptProcess::look_for_end() {
  loop().cancel(std::exchange(look_, 0));
  const auto state = kept_state(place_);
  if (state && state->has_ended) {
    ProcessEnd end;
    end.status = {state->code, state->signal};
    end.last_words.assign(state->words, state->word_count);
    return deliver(std::move(end));
  }
  if (has_exited(keeper_)) return lose();
  look_ = loop().after(next_look_, [this] {
    look_ = 0;
    look_for_end();
  });
  next_look_ = std::min(next_look_ * 2, kSlowestLook);
}

// Its keeper was killed, and it with it; how it would have ended nobody knows.
void KeptProcess::lose() {
  if (keeper_)
    reap_later(loop(), std::make_shared<base::UniqueFd>(fcntl(keeper_.get(), F_DUPFD_CLOEXEC, 0)),
               kFirstReap);
  if (const auto state = kept_state(place_)) journal_.kill_group(state->leader, record_.mark);
  cgroup_.kill();
  ProcessEnd end;
  end.status = {0, SIGKILL};
  end.last_words = "(its keeper, andon-keeper, was killed)";
  deliver(std::move(end));
}

void KeptProcess::deliver(ProcessEnd end) {
  if (exit_) loop().unwatch(exit_.get());
  exit_.reset();
  end.was_alone = was_alone_;
  end.lacked_memory = cgroup_.has_run_out_of_memory();
  this->end(std::move(end));
}

std::optional<LoopClock::Instant> KeptProcess::ended_at() const {
  const auto state = kept_state(place_);
  if (!state || !state->has_ended) return std::nullopt;
  return LoopClock::Instant(milliseconds(state->ended_ms));
}

void KeptProcess::limit_to(const recipe::ResourceLimits& limits) {
  std::string note = cgroup_.limit(limits);
  if (!note.empty() && note != note_) {
    base::log_warning("a component runs without its limits",
                      {{"component", record_.component}, {"why", note}});
  }
  note_ = std::move(note);
}

void KeptProcess::pause() {
  if (cgroup_.freeze()) return;
  StepProcess::pause();
}

void KeptProcess::resume() {
  cgroup_.thaw();
  StepProcess::resume();  // somebody else may have stopped it
}

bool KeptProcess::stands_still() const {
  if (cgroup_.is_frozen()) return true;
  const auto stat = base::read_file_if_exists("/proc/" + std::to_string(pid()) + "/stat");
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  return name_end != std::string::npos && stat->compare(name_end, 3, ") T") == 0;
}

void KeptProcess::note_running() {
  if (std::exchange(record_.said_running, true)) return;
  write_record();
}

void KeptProcess::note_client(bool has_client) {
  lacks_client_ = false;
  if (std::exchange(record_.has_client, has_client) == has_client) return;
  write_record();
}

void KeptProcess::write_record() {
  try {
    write_kept_record(place_.directory, record_);
  } catch (const base::Error& error) {
    base::log_warning("what the next agent should know of a component cannot be written down",
                      {{"component", record_.component}, {"why", error.message()}});
  }
}

}  // namespace andon::edge
