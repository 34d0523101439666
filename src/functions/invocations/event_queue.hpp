// SPDX-License-Identifier: Apache-2.0
// Asynchronous calls. An event is in the database from the moment its caller has been told so until
// the function has taken it, or its retries or its age are over and its dead letter is delivered: a
// crash loses none, and may repeat one. So many at once; one thread does the bookkeeping.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "functions/invocations/invoker.hpp"
#include "functions/versions/settings.hpp"

namespace andon::functions {

struct EventOptions {
  std::size_t most_at_once = 16;
  std::chrono::milliseconds glance{1'000};
};

struct NewEvent {
  FunctionRef ref;
  std::string payload;
  std::string client_context = {};
  std::int64_t hops = 0;
};

class EventQueue {
 public:
  static constexpr std::size_t kMostPayload = 262'144;

  // Runs an event: gives its end once, perhaps at once. Throws not_found for a function that is
  // gone.
  using Run = std::function<void(const Resolved&, Invocation, std::function<void(CallEnd)>)>;
  // Puts a record into a log group or onto an event bus; the other destinations are functions.
  using WriteRecord = std::function<void(const std::string& arn, const std::string& text)>;

  EventQueue(store::Database& database, Registry& registry, Settings& settings,
             const base::Clock& clock, Run run, WriteRecord write,
             const EventOptions& options = {});
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue();

  // Durable when it returns; gives its id. resource_exhausted where too many wait.
  std::string add(const NewEvent& event);
  void wake();
  // Nothing is begun any more.
  void stop();
  [[nodiscard]] std::int64_t waiting() const;

 private:
  struct Event {
    std::string id;
    FunctionRef ref;
    std::string payload;
    std::string client_context;
    base::Timestamp created;
    std::int64_t attempts = 0;
    std::int64_t postponed = 0;
    std::int64_t hops = 0;
  };
  struct Ended {
    Event event;
    Resolved function;
    CallEnd end;
  };

  void work();
  void begin_due();
  void begin(Event event);
  void settle(const Ended& ended);
  void give_up(const Ended& ended, std::string_view condition);
  void send(const std::string& arn, const std::string& record, std::int64_t hops);
  void postpone(const Event& event, std::chrono::milliseconds delay, std::int64_t attempts,
                std::int64_t postponed);
  void remove(const std::string& id);

  store::Database& database_;
  Registry& registry_;
  Settings& settings_;
  const base::Clock& clock_;
  const Run run_;
  const WriteRecord write_;
  const EventOptions options_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Ended> ended_;
  bool is_woken_ = true;
  bool stopping_ = false;

  std::set<std::string> in_hand_;  // of the thread alone
  std::thread thread_;
};

}  // namespace andon::functions
