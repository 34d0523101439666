// SPDX-License-Identifier: Apache-2.0
// The agent's one event loop (epoll): file descriptors, timers, and work posted by other threads.
// Owned by main and run on the main thread, where all of the agent's state lives; only post() and
// stop() may be called from elsewhere. Plain epoll because an idle agent has a memory budget.
// A handler may add and remove watches and timers, its own included. A base::Error that leaves a
// handler is logged and ends that event only: a full disk must not take the components down.
// While it handles events its thread must not block (base/os/blocking.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/latency_histogram.hpp"

namespace andon::edge {

// Where a loop's timers get their time from; tests turn one of their own (edge/testing).
class LoopClock {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  LoopClock() = default;
  LoopClock(const LoopClock&) = delete;
  LoopClock& operator=(const LoopClock&) = delete;
  virtual ~LoopClock() = default;

  [[nodiscard]] virtual Instant now() const { return std::chrono::steady_clock::now(); }
  // How long to wait for other events until `when` may have come, `longest` at most.
  [[nodiscard]] virtual std::chrono::milliseconds until(Instant when,
                                                        std::chrono::milliseconds longest) const;
};

class EventLoop {
 public:
  using Handler = std::function<void()>;
  // Gets the epoll events (EPOLLIN, EPOLLOUT, EPOLLHUP ...).
  using FdHandler = std::function<void(std::uint32_t events)>;
  using TimerId = std::uint64_t;  // 0 is no timer

  EventLoop();
  // `clock` outlives the loop.
  explicit EventLoop(const LoopClock& clock);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Watches `fd` until unwatch(); the caller keeps it open meanwhile.
  void watch(int fd, std::uint32_t events, FdHandler handler);
  void change(int fd, std::uint32_t events);
  void unwatch(int fd);  // nothing for one that is not watched

  TimerId after(std::chrono::milliseconds delay, Handler handler);
  void cancel(TimerId timer);  // nothing for one that has fired

  // Any thread: `work` runs on the loop's thread, in order.
  void post(Handler work);
  // Any thread: run() returns after the handler in hand.
  void stop();

  void run();
  // For tests: runs until `done()` or the limit (of real time); says whether it is done.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit);

  [[nodiscard]] LoopClock::Instant now() const { return clock_.now(); }
  // How long timers and posted work have waited beyond their time: what a handler that takes too
  // long does to all others.
  [[nodiscard]] const base::LatencyHistogram& lateness() const { return lateness_; }

 private:
  using Instant = LoopClock::Instant;
  struct Posted {
    Handler work;
    Instant at;
  };

  void turn(std::chrono::milliseconds longest_wait);
  void fire_timers();
  void run_posted();
  void note_lateness(Instant due);

  LoopClock real_clock_;
  const LoopClock& clock_;
  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  // shared_ptr: a handler that removes itself must live until it returns.
  std::unordered_map<int, std::shared_ptr<FdHandler>> watched_;
  std::map<std::pair<Instant, TimerId>, Handler> timers_;
  std::unordered_map<TimerId, Instant> timer_times_;
  TimerId next_timer_ = 1;
  bool stopped_ = false;
  base::LatencyHistogram lateness_;

  std::mutex mutex_;
  std::vector<Posted> posted_;  // guarded by mutex_
};

}  // namespace andon::edge
