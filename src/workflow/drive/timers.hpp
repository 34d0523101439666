// SPDX-License-Identifier: Apache-2.0
// Fires timers when they are due, earliest first: those in the database, and those of Express
// executions, which are in memory. One thread, asleep while nothing is due; a waiting execution
// costs a row. The wall clock counts for what is stored: one that is set forward fires what has
// become due within a second, one that is set back fires later. A timer stays in the database until
// the step that it caused is committed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::workflow {

class Timers {
 public:
  // `fire` is called on the timers' thread; it must not block.
  using Fire = std::function<void(std::int64_t execution, std::int64_t timer)>;
  Timers(store::Database& database, const base::Clock& clock, Fire fire);
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  ~Timers();

  void run();  // from now on they fire
  void stop();
  // A stored timer that has been committed.
  void note(base::Timestamp due);
  // The step that a stored timer caused is committed, or has failed: in that case it fires again.
  void settled(std::int64_t execution, std::int64_t timer);
  // `work` in memory, at `due`; for what a crash may take away.
  void at(base::Timestamp due, std::function<void()> work);

  // Stored timers that were due, since the start.
  [[nodiscard]] std::uint64_t fired() const { return fired_; }

 private:
  void loop();
  void follow_clock(base::Timestamp now);  // with the mutex
  void look(base::Timestamp now);

  store::Database& database_;
  const base::Clock& clock_;
  const Fire fire_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::optional<base::Timestamp> next_;  // when to look into the database
  std::set<std::pair<std::int64_t, std::int64_t>> firing_;
  std::multimap<base::Timestamp, std::function<void()>> in_memory_;
  base::Timestamp seen_;  // what the clock said last
  bool stopping_ = false;
  std::atomic<std::uint64_t> fired_ = 0;
  std::thread thread_;
};

}  // namespace andon::workflow
