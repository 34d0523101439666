// SPDX-License-Identifier: Apache-2.0
// Moves events along: takes in what feeds have, lets schedules fire, matches, and hands what is due
// to its target, a bounded number at a time and few to one target, so that a slow one holds nobody
// up. One thread of its own, once run() was called; step() is for tests with a clock that they
// turn. After a crash it goes on with whatever the rows say.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "events/delivery/queue.hpp"

namespace andon::events {

// Events that others have written beside their causes.
struct Feed {
  struct Item {
    std::int64_t position = 0;
    std::optional<Event> event;  // nothing: a row that is no event
  };
  std::string name;
  // What follows `after`, in order, at most `limit`.
  std::function<std::vector<Item>(std::int64_t after, std::size_t limit)> read;
  // All up to `position` is here, for ever.
  std::function<void(std::int64_t position)> taken;
};

class Dispatcher {
 public:
  struct Limits {
    std::size_t in_flight = 64;
    std::size_t to_one_target = 8;
    std::chrono::milliseconds glance{250};     // at the feeds, where nobody wakes it
    std::chrono::minutes longest_attempt{20};  // then it counts as failed
  };
  Dispatcher(EventQueue& queue, const base::Clock& clock, std::vector<Feed> feeds, Send send)
      : Dispatcher(queue, clock, std::move(feeds), std::move(send), Limits{}) {}
  // `settled` hears, on the stepping thread, that something has become of deliveries.
  Dispatcher(EventQueue& queue, const base::Clock& clock, std::vector<Feed> feeds, Send send,
             Limits limits, std::function<void()> settled = {});
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  void run();
  // Begins nothing any more; answers that come later are dropped.
  void stop();
  // There is something new. Any thread.
  void wake();
  // All there is to do now; answers whether it did anything.
  bool step();

 private:
  struct InFlight {
    Delivery delivery;
    base::Timestamp since;
  };
  // Takes answers, as long as there is a dispatcher.
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::pair<std::int64_t, Outcome>> answers;
    bool is_woken = true;
    bool is_open = true;
  };

  void work();
  bool settle();
  bool pull();
  bool send_due();
  void send(const Delivery& delivery);

  EventQueue& queue_;
  const base::Clock& clock_;
  const std::vector<Feed> feeds_;
  const Send send_;
  const Limits limits_;
  const std::function<void()> settled_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::map<std::int64_t, InFlight> in_flight_;  // of the stepping thread
  std::string last_problem_;
  std::thread thread_;
};

}  // namespace andon::events
