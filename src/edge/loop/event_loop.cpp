// SPDX-License-Identifier: Apache-2.0
#include "edge/loop/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/blocking.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestWait{60'000};

// The boundary of one event.
void handle(const auto& handler, auto... arguments) {
  try {
    handler(arguments...);
  } catch (const base::Error& error) {
    base::log_error("an event could not be handled", {{"why", error.message()}});
  }
}

void control(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) {
    throw base::system_error("cannot watch a file descriptor", errno);
  }
}

}  // namespace

milliseconds LoopClock::until(Instant when, milliseconds longest) const {
  return std::clamp(std::chrono::ceil<milliseconds>(when - now()), milliseconds{0}, longest);
}

EventLoop::EventLoop() : EventLoop(real_clock_) {}

EventLoop::EventLoop(const LoopClock& clock)
    : clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throw base::system_error("cannot make the event loop", errno);
  watch(wake_.get(), EPOLLIN, [this](std::uint32_t) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
    run_posted();
  });
}

EventLoop::~EventLoop() = default;

void EventLoop::watch(int fd, std::uint32_t events, FdHandler handler) {
  control(epoll_.get(), EPOLL_CTL_ADD, fd, events);
  watched_[fd] = std::make_shared<FdHandler>(std::move(handler));
}

void EventLoop::change(int fd, std::uint32_t events) {
  control(epoll_.get(), EPOLL_CTL_MOD, fd, events);
}

void EventLoop::unwatch(int fd) {
  if (watched_.erase(fd) > 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::after(milliseconds delay, Handler handler) {
  const TimerId id = next_timer_++;
  const Instant when = clock_.now() + delay;
  timers_.emplace(std::pair{when, id}, std::move(handler));
  timer_times_[id] = when;
  return id;
}

void EventLoop::cancel(TimerId timer) {
  const auto found = timer_times_.find(timer);
  if (found == timer_times_.end()) return;
  timers_.erase({found->second, timer});
  timer_times_.erase(found);
}

void EventLoop::post(Handler work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back({std::move(work), clock_.now()});
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void EventLoop::stop() {
  post([this] { stopped_ = true; });
}

void EventLoop::run() {
  stopped_ = false;
  while (!stopped_) turn(kLongestWait);
}

bool EventLoop::run_until(const std::function<bool()>& done, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!done()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds{0}) return false;
    turn(std::min(left, kLongestWait));
  }
  return true;
}

void EventLoop::turn(milliseconds longest_wait) {
  milliseconds wait = longest_wait;
  if (!timers_.empty()) {
    wait = clock_.until(timers_.begin()->first.first, longest_wait);
  }
  std::array<epoll_event, 32> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               static_cast<int>(wait.count()));
  if (count < 0 && errno != EINTR) throw base::system_error("cannot wait for events", errno);
  const base::NoBlocking handlers_must_not;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    // An earlier handler of this turn may have removed it.
    const auto found = watched_.find(event.data.fd);
    if (found == watched_.end()) continue;
    const std::shared_ptr<FdHandler> handler = found->second;
    handle(*handler, event.events);
  }
  fire_timers();
}

void EventLoop::fire_timers() {
  const Instant now = clock_.now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto first = timers_.begin();
    const Handler handler = std::move(first->second);
    note_lateness(first->first.first);
    timer_times_.erase(first->first.second);
    timers_.erase(first);
    handle(handler);
  }
}

void EventLoop::run_posted() {
  std::vector<Posted> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(posted_);
  }
  for (const Posted& posted : ready) {
    note_lateness(posted.at);
    handle(posted.work);
  }
}

void EventLoop::note_lateness(Instant due) {
  lateness_.add(std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - due));
}

}  // namespace andon::edge
