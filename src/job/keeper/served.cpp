// SPDX-License-Identifier: Apache-2.0
#include "job/keeper/served.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/descriptors.hpp"
#include "base/text/number.hpp"
#include "job/keeper/relay.hpp"
#include "job/keeper/usage.hpp"
#include "job/sandbox/sandbox.hpp"

namespace andon::job {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBusyGlance{100};
constexpr milliseconds kIdleGlance{5'000};
constexpr int kLookCost = 10;  // a look takes at most a tenth of the time
constexpr int kControl = STDIN_FILENO;

class Keeper {
 public:
  explicit Keeper(const JobDirectory& directory) : directory_(directory) {}

  void go() {
    const auto received = base::receive_descriptors(kControl, kMostServedMessage);
    if (received.bytes.empty()) return;
    const JobOrder order = parse_order(received.bytes);
    result_.started = clock_.now();
    try {
      start(order);
      while (!step()) {
      }
      sandbox_->kill();
    } catch (const base::Error& error) {
      result_.end = error.code() == base::ErrorCode::not_found     ? JobEnd::not_started
                    : error.code() == base::ErrorCode::unsupported ? JobEnd::refused
                                                                   : JobEnd::signalled;
      result_.message = error.message();
    }
    result_.stopped = clock_.now();
    sandbox_.reset();
    tell(to_text(result_));
  }

 private:
  void start(const JobOrder& order) {
    directory_.make(order.rules.user);
    rules_ = order.rules;
    rules_.work = directory_.work();
    rules_.temporary = directory_.temporary();
    rules_.root = directory_.root();
    sandbox_.emplace(rules_, order.command, STDOUT_FILENO);
    // From here on the command alone has it: its end is the end of what it writes.
    const base::UniqueFd nowhere = base::open_file("/dev/null", O_RDWR);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere.get(), stream);
    std::vector<base::UniqueFd> listeners = sandbox_->take_listeners();
    if (listeners.empty()) {
      throw base::Error(base::ErrorCode::invalid_argument, "an order to serve names no port");
    }
    if (listeners.size() > 1) {
      relay_.emplace(std::move(listeners[1]), order.relay_address, order.relay_port);
    }
    base::send_descriptors(kControl, {&kStarted, 1}, {listeners[0].get()});
  }

  // Whoever is gone need not be told.
  static void tell(const std::string& text) {
    [[maybe_unused]] const ssize_t sent = send(kControl, text.data(), text.size(), MSG_NOSIGNAL);
  }

  // True when it is over.
  bool step() {
    std::vector<pollfd> waiting = {{sandbox_->event_fd(), POLLIN, 0}, {kControl, POLLIN, 0}};
    if (relay_) relay_->add_to(waiting);
    const auto left =
        std::chrono::duration_cast<milliseconds>(next_look_ - steady_clock::now()).count();
    ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (const auto status = sandbox_->poll()) {
      result_.end = status->signal != 0 ? JobEnd::signalled : JobEnd::exited;
      result_.code = status->signal != 0 ? status->signal : status->code;
      result_.message = base::to_string(*status);
      return true;
    }
    if (waiting[1].revents != 0 && !listen_to_owner()) {
      result_.end = JobEnd::stopped;
      return true;
    }
    if (relay_) relay_->turn();
    return steady_clock::now() >= next_look_ && look();
  }

  // False when it has closed.
  bool listen_to_owner() {
    const auto received = base::receive_descriptors(kControl, kMostServedMessage);
    if (received.has_closed) return false;
    if (received.bytes.empty()) return true;
    is_busy_ = received.bytes[0] == kBusy;
    const auto soon = steady_clock::now() + kBusyGlance;
    if (is_busy_) next_look_ = std::min(next_look_, soon);
    return true;
  }

  bool look() {
    const auto begun = steady_clock::now();
    const auto excess = find_excess(directory_, sandbox_->process(), rules_);
    if (excess) {
      result_.end = excess->end;
      result_.message = excess->message;
      return true;
    }
    const std::uint64_t memory = memory_used(sandbox_->process());
    if (memory > most_memory_) {
      most_memory_ = memory;
      tell(kMemory + std::to_string(memory));
    }
    const auto now = steady_clock::now();
    next_look_ = now + std::max<steady_clock::duration>(is_busy_ ? kBusyGlance : kIdleGlance,
                                                        (now - begun) * kLookCost);
    return false;
  }

  const JobDirectory& directory_;
  base::SystemClock clock_;
  SandboxRules rules_;
  std::optional<Sandbox> sandbox_;
  std::optional<Relay> relay_;
  JobResult result_;
  bool is_busy_ = true;
  std::uint64_t most_memory_ = 0;
  steady_clock::time_point next_look_ = steady_clock::now() + kBusyGlance;
};

}  // namespace

int keep_served(const JobDirectory& directory) {
  prctl(PR_SET_NAME, "andon-job");
  // Its lock says to the next program that somebody is at work here.
  base::make_directories(directory.path(), 0700);
  const base::FileLock lock(directory.lock_file());
  Keeper(directory).go();
  directory.remove();
  return 0;
}

}  // namespace andon::job
