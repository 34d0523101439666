// SPDX-License-Identifier: Apache-2.0
#include "server/broker/broker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/os/process.hpp"
#include "broker/settings/mosquitto.hpp"
#include "broker/view/view_file.hpp"
#include "server/broker/listening_port.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr unsigned kPrivateDirectory = 0700;
constexpr unsigned kPrivateFile = 0600;
constexpr std::chrono::seconds kStartTimeout{10};
constexpr milliseconds kStopGrace{500};  // a polite end tells the clients, but nothing hangs on it
constexpr milliseconds kMinBackoff{100};
constexpr milliseconds kMaxBackoff{10'000};
// A broker that ran so long was a good one: it is started again without a growing delay.
constexpr std::chrono::seconds kGoodRun{30};
constexpr std::size_t kMaxLineBytes = 1000;
constexpr std::size_t kRememberedLines = 5;
// The last resort, far above what a fleet of 10,000 needs.
constexpr std::size_t kMemory = std::size_t{2} << 30U;
constexpr std::string_view kUsersOption = "--mqtt-users-port";
constexpr std::string_view kReadyMark = " running";  // "mosquitto version 2.0.11 running"
// It is meant: it has to read the server's files.
constexpr std::array<std::string_view, 1> kExpectedWarnings{"should not be run as root"};

// Which process is the broker, for a server that starts after this one was killed.
class PidFile {
 public:
  explicit PidFile(const path& directory) : file_(directory / "broker.json") {}

  void write(pid_t pid) const {
    const auto ticks = base::process_start_ticks(pid);
    if (!ticks) return;
    base::write_file_atomically(file_, base::to_text({{"pid", pid}, {"startTicks", *ticks}}) + "\n",
                                kPrivateFile);
  }

  void remove() const { unlink(file_.c_str()); }

  void kill_leftover() const {
    const auto text = base::read_file_if_exists(file_);
    if (!text) return;
    try {
      const base::json::value document = base::parse_json(*text, "the broker's pid file");
      const base::JsonReader reader(document, "broker");
      end_process(static_cast<pid_t>(reader.integer("pid")), reader.integer("startTicks"));
    } catch (const Error& error) {
      base::log_warning("the broker's pid file cannot be read", {{"reason", error.message()}});
    }
    remove();
  }

 private:
  static void end_process(pid_t pid, std::int64_t start_ticks) {
    // The pidfd first: after that the number cannot come to mean another process.
    const base::UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    const auto ticks = base::process_start_ticks(pid);
    if (!pidfd || !ticks || static_cast<std::int64_t>(*ticks) != start_ticks) return;
    base::log_info("ending the broker of a server that was killed", {{"pid", pid}});
    syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
    pollfd gone{pidfd.get(), POLLIN, 0};
    ::poll(&gone, 1, 5'000);
  }

  path file_;
};

// Puts together the lines of what a child writes, and hands them to the log.
class LogPipe {
 public:
  LogPipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      throw base::system_error("cannot make a pipe", errno);
    }
    read_end_ = base::UniqueFd(ends[0]);
    write_end_ = base::UniqueFd(ends[1]);
    fcntl(write_end_.get(), F_SETFL, 0);  // the child's writes wait
  }

  [[nodiscard]] int fd() const { return read_end_.get(); }
  [[nodiscard]] int child_fd() const { return write_end_.get(); }
  void close_child_end() { write_end_.reset(); }
  [[nodiscard]] bool saw_ready_mark() const { return saw_ready_mark_; }

  void drain() {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = read(read_end_.get(), buffer.data(), buffer.size());
      if (got <= 0) return;
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
        if (c == '\n') {
          take_line();
        } else if (line_.size() < kMaxLineBytes) {
          line_ += c;
        }
      }
    }
  }

  // What it complained of last, for the person who asks why it is gone.
  [[nodiscard]] std::string last_words() const {
    std::string text;
    for (const std::string& line : complaints_) text += (text.empty() ? "" : " | ") + line;
    return text.empty() ? "it gave no reason" : "it said: " + text;
  }

 private:
  void take_line() {
    if (line_.ends_with(kReadyMark)) saw_ready_mark_ = true;
    const bool is_complaint =
        (line_.starts_with("Error") || line_.starts_with("Warning")) &&
        std::ranges::none_of(kExpectedWarnings, [this](std::string_view expected) {
          return line_.find(expected) != std::string::npos;
        });
    base::log(is_complaint ? base::LogLevel::warning : base::LogLevel::debug, "mosquitto",
              {{"says", line_}});
    if (is_complaint) complaints_.push_back(line_);
    if (complaints_.size() > kRememberedLines) complaints_.pop_front();
    line_.clear();
  }

  base::UniqueFd read_end_;
  base::UniqueFd write_end_;
  std::string line_;
  std::deque<std::string> complaints_;
  bool saw_ready_mark_ = false;
};

}  // namespace

void end_leftover_broker(const path& directory) {
  PidFile(directory).kill_leftover();
}

class Broker::Implementation {
 public:
  Implementation(BrokerOptions options, std::span<const broker::Change> view)
      : options_(std::move(options)),
        program_(broker::find_mosquitto(options_.program)),
        pid_file_(options_.directory),
        stop_(eventfd(0, EFD_CLOEXEC)),
        anew_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!stop_ || !anew_) throw base::system_error("cannot make an eventfd", errno);
    base::make_directories(options_.directory, kPrivateDirectory);
    pid_file_.kill_leftover();
    if (options_.port == 0) {
      options_.port = choose_port(options_.address, 0);
    } else {
      require_free_port(options_.address, options_.port, "--mqtt-port");
    }
    if (options_.users_port != 0) {
      require_free_port(options_.address, options_.users_port, std::string(kUsersOption));
    }
    view_.emplace(view_file(), view);
    write_configuration();

    std::promise<void> first_start;
    std::future<void> started = first_start.get_future();
    thread_ = std::thread([this, &first_start] { supervise(first_start); });
    try {
      started.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }

  ~Implementation() {
    eventfd_write(stop_.get(), 1);
    thread_.join();
    pid_file_.remove();
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  void apply(std::span<const broker::Change> changes) {
    const std::lock_guard lock(view_mutex_);
    view_->append(changes);
  }
  [[nodiscard]] bool needs_new_view() const {
    const std::lock_guard lock(view_mutex_);
    return view_->is_due_for_a_new_one();
  }
  void replace_view(std::span<const broker::Change> view) {
    const std::lock_guard lock(view_mutex_);
    view_.emplace(view_file(), view);
  }

  void listen_for_users(std::uint16_t port) {
    const std::lock_guard lock(view_mutex_);
    if (options_.users_port == port) return;
    require_free_port(options_.address, port, std::string(kUsersOption));
    options_.users_port = port;
    write_configuration();
    eventfd_write(anew_.get(), 1);
  }

  [[nodiscard]] std::uint16_t port() const { return options_.port; }
  [[nodiscard]] bool is_running() const { return is_running_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  [[nodiscard]] path configuration_file() const { return options_.directory / "mosquitto.conf"; }
  [[nodiscard]] path view_file() const { return options_.directory / "view"; }

  void write_configuration() const {
    const std::string text = broker::mosquitto_configuration({
        .module = options_.module,
        .view_file = view_file(),
        // As "mosquitto", which it would become by itself, it may not read the server's files.
        .user = broker::own_user(),
        .address = options_.address,
        .port = options_.port,
        .ca_file = options_.ca_file,
        .certificate_file = options_.certificate_file,
        .private_key_file = options_.private_key_file,
        .users_port = options_.users_port,
        .memory_bytes = kMemory,
    });
    base::write_file_atomically(configuration_file(), text, kPrivateFile);
  }

  // The thread: one mosquitto after the other until told to stop. `first_start` gets the outcome of
  // the first; a failure of that one is the constructor's.
  void supervise(std::promise<void>& first_start) {
    milliseconds backoff = kMinBackoff;
    for (bool is_first = true;; is_first = false) {
      const auto started_at = steady_clock::now();
      std::string reason;
      try {
        LogPipe log;
        base::Process process(
            {.arguments = {program_.string(), "-c", configuration_file().string()},
             .stdout_fd = log.child_fd(),
             .stderr_fd = log.child_fd()});
        log.close_child_end();
        pid_file_.write(process.pid());
        wait_until_ready(process, log);
        pid_ = process.pid();
        is_running_ = true;
        if (is_first) {
          first_start.set_value();
        } else {
          ++restarts_;
          base::log_info("the MQTT broker is back", {{"pid", process.pid()}});
        }
        const auto end = watch(process, log);
        is_running_ = false;
        pid_ = -1;
        if (end.why != End::Why::exited) process.stop(kStopGrace);
        if (end.why == End::Why::stopped) return;
        if (end.why == End::Why::to_begin_anew) {
          base::log_info("the MQTT broker starts anew: it listens for users with passwords, too");
          continue;
        }
        reason = base::to_string(end.status) + "; " + log.last_words();
      } catch (const Error& error) {
        if (is_first) {
          first_start.set_exception(std::current_exception());
          return;
        }
        reason = error.message();
      }
      if (steady_clock::now() - started_at >= kGoodRun) backoff = kMinBackoff;
      base::log_error("the MQTT broker is gone and will be started again",
                      {{"reason", reason}, {"afterMs", backoff.count()}});
      if (stopped_within(backoff)) return;
      backoff = std::min(backoff * 2, kMaxBackoff);
    }
  }

  [[nodiscard]] bool stopped_within(milliseconds time) const {
    pollfd stop{stop_.get(), POLLIN, 0};
    return ::poll(&stop, 1, static_cast<int>(time.count())) > 0;
  }

  void wait_until_ready(base::Process& process, LogPipe& log) const {
    const auto deadline = steady_clock::now() + kStartTimeout;
    while (!log.saw_ready_mark()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
      if (left <= 0) {
        throw Error(ErrorCode::unavailable,
                    "the MQTT broker did not come up in time; " + log.last_words());
      }
      pollfd waiting[] = {{log.fd(), POLLIN, 0}, {process.exit_fd(), POLLIN, 0}};
      ::poll(waiting, std::size(waiting), static_cast<int>(left));
      log.drain();
      if (const auto status = process.poll(); status && !log.saw_ready_mark()) {
        throw Error(ErrorCode::unavailable, "the MQTT broker ended at its start with " +
                                                base::to_string(*status) + "; " + log.last_words());
      }
    }
  }

  struct End {
    enum class Why { stopped, to_begin_anew, exited };
    Why why = Why::stopped;
    base::ExitStatus status = {};  // of one that exited
  };
  // Until it has exited, is to begin anew, or this object ends.
  [[nodiscard]] End watch(base::Process& process, LogPipe& log) const {
    for (;;) {
      pollfd waiting[] = {{log.fd(), POLLIN, 0},
                          {process.exit_fd(), POLLIN, 0},
                          {stop_.get(), POLLIN, 0},
                          {anew_.get(), POLLIN, 0}};
      ::poll(waiting, std::size(waiting), -1);
      log.drain();
      if (waiting[2].revents != 0) return {End::Why::stopped};
      if (eventfd_t times = 0; eventfd_read(anew_.get(), &times) == 0) {
        return {End::Why::to_begin_anew};
      }
      if (const auto status = process.poll()) return {End::Why::exited, *status};
    }
  }

  BrokerOptions options_;
  path program_;
  PidFile pid_file_;
  base::UniqueFd stop_;
  base::UniqueFd anew_;
  mutable std::mutex view_mutex_;
  std::optional<broker::ViewWriter> view_;  // guarded by view_mutex_; there from the constructor on
  std::atomic<bool> is_running_ = false;
  std::atomic<pid_t> pid_ = -1;
  std::atomic<std::uint64_t> restarts_ = 0;
  std::thread thread_;  // last: starts when everything else is there
};

Broker::Broker(BrokerOptions options, std::span<const broker::Change> view)
    : implementation_(std::make_unique<Implementation>(std::move(options), view)) {}

void Broker::apply(std::span<const broker::Change> changes) {
  implementation_->apply(changes);
}

bool Broker::needs_new_view() const {
  return implementation_->needs_new_view();
}

void Broker::listen_for_users(std::uint16_t port) {
  implementation_->listen_for_users(port);
}

void Broker::replace_view(std::span<const broker::Change> view) {
  implementation_->replace_view(view);
}

Broker::~Broker() = default;

std::uint16_t Broker::port() const {
  return implementation_->port();
}

bool Broker::is_running() const {
  return implementation_->is_running();
}

pid_t Broker::pid() const {
  return implementation_->pid();
}

std::uint64_t Broker::restarts() const {
  return implementation_->restarts();
}

}  // namespace andon::server
