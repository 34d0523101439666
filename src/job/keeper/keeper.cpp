// SPDX-License-Identifier: Apache-2.0
#include "job/keeper/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/process.hpp"
#include "job/keeper/usage.hpp"
#include "job/order/log.hpp"
#include "job/sandbox/sandbox.hpp"

namespace andon::job {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kGlance{200};
constexpr milliseconds kStartLimit{90'000};  // of the keeper
constexpr int kLookCost = 10;                // a look takes at most a tenth of the time
constexpr milliseconds kResultPatience{600'000};

class Run {
 public:
  Run(const JobDirectory& directory, const JobOrder& order)
      : directory_(directory), order_(order), log_(directory.path(), order.log_bytes) {
    result_.started = clock_.now();
    sigset_t ends;
    sigemptyset(&ends);
    for (const int number : {SIGTERM, SIGINT}) sigaddset(&ends, number);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    signals_ = base::UniqueFd(signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw base::system_error("cannot watch for signals", errno);
  }

  JobResult go() {
    try {
      start();
      while (!step()) {
      }
      read_output();
      sandbox_->kill();
      read_output();
    } catch (const base::Error& error) {
      result_.end = error.code() == base::ErrorCode::not_found     ? JobEnd::not_started
                    : error.code() == base::ErrorCode::unsupported ? JobEnd::refused
                                                                   : JobEnd::signalled;
      result_.code = result_.end == JobEnd::signalled ? SIGKILL : 0;
      result_.message = error.message();
    }
    result_.stopped = clock_.now();
    return result_;
  }

 private:
  void start() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
    output_ = base::UniqueFd(ends[0]);
    const base::UniqueFd write_end(ends[1]);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    SandboxRules rules = order_.rules;
    rules.work = directory_.work();
    rules.temporary = directory_.temporary();
    rules.root = directory_.root();
    sandbox_.emplace(rules, order_.command, write_end.get());
    const auto now = steady_clock::now();
    deadline_ = now + order_.timeout;
    alive_ = now;
  }

  // True when it is over.
  bool step() {
    std::array<pollfd, 3> waiting = {pollfd{sandbox_->event_fd(), POLLIN, 0},
                                     pollfd{signals_.get(), POLLIN, 0},
                                     pollfd{output_ ? output_.get() : -1, POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), static_cast<int>(kGlance.count()));
    if (read_output()) alive_ = steady_clock::now();
    if (const auto status = sandbox_->poll()) {
      note_end(*status);
      return true;
    }
    signalfd_siginfo signal{};
    if (read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      ask_to_end(JobEnd::stopped, "it was asked to stop");
    }
    const auto now = steady_clock::now();
    if (kill_at_ && now >= *kill_at_) return true;
    look(now);
    return is_over_limit_;
  }

  void note_end(const base::ExitStatus& status) {
    if (result_.end != JobEnd::exited) return;  // why it was ended is known
    result_.end = status.signal != 0 ? JobEnd::signalled : JobEnd::exited;
    result_.code = status.signal != 0 ? status.signal : status.code;
    result_.message = base::to_string(status);
  }

  void ask_to_end(JobEnd why, const std::string& message) {
    if (kill_at_) return;
    result_.end = why;
    result_.message = message;
    kill_at_ = steady_clock::now() + order_.grace;
    sandbox_->terminate();
  }

  void end_at_once(JobEnd why, const std::string& message) {
    result_.end = why;
    result_.message = message;
    is_over_limit_ = true;
  }

  void look(steady_clock::time_point now) {
    if (now >= deadline_) {
      ask_to_end(JobEnd::timed_out,
                 "it ran longer than " + std::to_string(order_.timeout.count()) + " s");
    }
    if (order_.heartbeat) look_for_heartbeat(now);
    std::error_code unknown;
    if (!fs::exists(directory_.order_file(), unknown) && !unknown) {
      end_at_once(JobEnd::stopped, "its order was removed");
    }
    if (now < next_look_) return;
    look_at_usage();
    const auto took = steady_clock::now() - now;
    next_look_ = steady_clock::now() + std::max<steady_clock::duration>(kGlance, took * kLookCost);
  }

  void look_for_heartbeat(steady_clock::time_point now) {
    struct stat status {};
    if (lstat((directory_.work() / kHeartbeatFile).c_str(), &status) == 0 &&
        (status.st_mtim.tv_sec != beat_.tv_sec || status.st_mtim.tv_nsec != beat_.tv_nsec)) {
      beat_ = status.st_mtim;
      alive_ = now;
    }
    if (now - alive_ >= *order_.heartbeat) {
      ask_to_end(JobEnd::silent,
                 "it gave no sign of life for " + std::to_string(order_.heartbeat->count()) + " s");
    }
  }

  void look_at_usage() {
    const auto excess = find_excess(directory_, sandbox_->process(), order_.rules);
    if (excess) end_at_once(excess->end, excess->message);
  }

  // True where there was some.
  bool read_output() {
    // Bounded, so that one that never stops writing is looked at, too.
    constexpr int kReads = 64;
    bool any = false;
    std::array<char, 16'384> buffer;
    for (int i = 0; i < kReads && output_; ++i) {
      const ssize_t got = read(output_.get(), buffer.data(), buffer.size());
      if (got > 0) {
        log_.write({buffer.data(), static_cast<std::size_t>(got)});
        any = true;
        continue;
      }
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) output_.reset();
      break;
    }
    return any;
  }

  const JobDirectory& directory_;
  const JobOrder& order_;
  base::SystemClock clock_;
  LogWriter log_;
  base::UniqueFd signals_;
  base::UniqueFd output_;
  std::optional<Sandbox> sandbox_;
  JobResult result_;
  steady_clock::time_point deadline_;
  steady_clock::time_point alive_;
  steady_clock::time_point next_look_;
  std::optional<steady_clock::time_point> kill_at_;
  timespec beat_{};
  bool is_over_limit_ = false;
};

// A full disk is what a job may have left behind: its files are given up for its result.
void leave_result(const JobDirectory& directory, const JobResult& result) {
  const auto limit = steady_clock::now() + kResultPatience;
  while (true) {
    try {
      directory.write_result(result);
      return;
    } catch (const base::Error&) {
      if (steady_clock::now() >= limit) throw;
    }
    try {
      directory.remove_files();
    } catch (const base::Error&) {
      // The next attempt may do better.
    }
    ::poll(nullptr, 0, static_cast<int>(milliseconds(1'000).count()));
  }
}

void note_keeper(const JobDirectory& directory) {
  const pid_t pid = getpid();
  base::write_file_atomically(
      directory.keeper_file(),
      base::to_pretty_text(
          {{"pid", pid}, {"startTicks", base::process_start_ticks(pid).value_or(0)}}),
      0600);
}

// The first process waits on `ready`: nothing said and closed is a failure.
int keep(const JobDirectory& directory, base::UniqueFd ready) {
  setsid();
  prctl(PR_SET_NAME, "andon-job");
  const auto order = directory.order();
  if (!order) {
    throw base::Error(base::ErrorCode::not_found,
                      "there is no order in '" + directory.path().string() + "'");
  }
  const base::FileLock lock(directory.lock_file());
  note_keeper(directory);
  [[maybe_unused]] const ssize_t written = write(ready.get(), "k", 1);
  ready.reset();
  // From here on nobody listens any more.
  const base::UniqueFd nowhere = base::open_file("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    dup2(nowhere.get(), stream);
  }
  // One that was killed in the middle of an earlier keeping has left a result, or is lost.
  if (!directory.result()) leave_result(directory, run_job(directory, *order));
  return 0;
}

}  // namespace

JobResult run_job(const JobDirectory& directory, const JobOrder& order) {
  return Run(directory, order).go();
}

int keep_in_background(const JobDirectory& directory) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
  const base::UniqueFd read_end(ends[0]);
  base::UniqueFd write_end(ends[1]);
  const pid_t child = fork();
  if (child < 0) throw base::system_error("cannot fork", errno);
  if (child == 0) return keep(directory, std::move(write_end));
  write_end.reset();
  char word = 0;
  ssize_t got = 0;
  do {
    got = read(read_end.get(), &word, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1 ? 0 : 1;
}

void start_keeper(const fs::path& program, const JobDirectory& directory) {
  const fs::path said = directory.path() / "keeper.log";
  base::ProcessOptions options;
  options.arguments = {program.string(), directory.path().string()};
  options.working_directory = "/";
  const base::UniqueFd log = base::open_file(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  options.stdout_fd = log.get();
  options.stderr_fd = log.get();
  base::Process process(options);
  const auto status = process.wait(kStartLimit);
  if (status && status->ok()) return;
  throw base::Error(base::ErrorCode::unavailable,
                    "the keeper of a job was not started: " +
                        (status ? base::to_string(*status) : std::string("it took too long")) +
                        " " + base::read_file(said, 65'536));
}

}  // namespace andon::job
