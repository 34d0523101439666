// SPDX-License-Identifier: Apache-2.0
#include "workflow/drive/timers.hpp"

#include <algorithm>
#include <vector>

#include "base/log/log.hpp"

namespace andon::workflow {
namespace {

constexpr std::size_t kBatch = 500;
// How soon a clock that was set is noticed.
constexpr std::chrono::milliseconds kGlance{1000};

}  // namespace

Timers::Timers(store::Database& database, const base::Clock& clock, Fire fire)
    : database_(database), clock_(clock), fire_(std::move(fire)) {}

Timers::~Timers() {
  stop();
}

void Timers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Timers::run() {
  next_ = base::Timestamp{};  // what came due meanwhile
  thread_ = std::thread([this] { loop(); });
}

void Timers::note(base::Timestamp due) {
  {
    const std::lock_guard lock(mutex_);
    if (next_ && *next_ <= due) return;
    next_ = due;
  }
  changed_.notify_all();
}

void Timers::settled(std::int64_t execution, std::int64_t timer) {
  const std::lock_guard lock(mutex_);
  firing_.erase({execution, timer});
}

void Timers::at(base::Timestamp due, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    in_memory_.emplace(due, std::move(work));
  }
  changed_.notify_all();
}

void Timers::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const base::Timestamp now = clock_.now();
    follow_clock(now);
    std::vector<std::function<void()>> due;
    while (!in_memory_.empty() && in_memory_.begin()->first <= now) {
      due.push_back(std::move(in_memory_.begin()->second));
      in_memory_.erase(in_memory_.begin());
    }
    const bool must_look = next_ && *next_ <= now;
    if (must_look) next_.reset();
    if (must_look || !due.empty()) {
      lock.unlock();
      for (const auto& work : due) work();
      if (must_look) look(now);
      lock.lock();
      continue;
    }
    std::chrono::milliseconds wait = kGlance;
    if (next_) wait = std::min(wait, *next_ - now);
    if (!in_memory_.empty()) wait = std::min(wait, in_memory_.begin()->first - now);
    changed_.wait_for(lock, std::max(wait, std::chrono::milliseconds(1)));
  }
}

// What is in memory is meant to happen so long after it was asked for: a clock that was set back
// must not put it off by as much. What is stored stays at the time that was committed.
void Timers::follow_clock(base::Timestamp now) {
  const auto back = seen_ - now;
  seen_ = now;
  if (back <= std::chrono::milliseconds(0)) return;
  std::multimap<base::Timestamp, std::function<void()>> moved;
  for (auto& [due, work] : in_memory_) moved.emplace(due - back, std::move(work));
  in_memory_ = std::move(moved);
  if (next_) next_ = *next_ - back;  // looks too early, and again
}

void Timers::look(base::Timestamp now) {
  std::vector<std::pair<std::int64_t, std::int64_t>> fresh;
  std::optional<base::Timestamp> next;
  std::size_t firing = 0;
  {
    const std::lock_guard lock(mutex_);
    firing = firing_.size();
  }
  try {
    database_.read([&](store::Transaction& tx) {
      const auto rows = tx.query(
          "SELECT execution, timer FROM timers WHERE due_ms <= $1 ORDER BY due_ms LIMIT $2",
          {base::to_epoch_millis(now), static_cast<std::int64_t>(firing + kBatch)});
      for (const auto& row : rows) fresh.emplace_back(row.integer(0), row.integer(1));
      if (rows.size() == firing + kBatch) {
        next = now;
        return;
      }
      const auto later = tx.query_one("SELECT min(due_ms) FROM timers WHERE due_ms > $1",
                                      {base::to_epoch_millis(now)});
      if (!later->is_null(0)) next = base::from_epoch_millis(later->integer(0));
    });
  } catch (const std::exception& error) {
    base::log_error("timers cannot be read", {{"error", std::string(error.what())}});
    next = now + kGlance;
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(fresh, [this](const auto& timer) { return !firing_.insert(timer).second; });
    // More are due, but those before them are still being worked on: not at once again.
    if (next && *next <= now && fresh.empty()) next = now + std::chrono::milliseconds(20);
    if (next && (!next_ || *next < *next_)) next_ = next;
  }
  fired_ += fresh.size();
  for (const auto& [execution, timer] : fresh) fire_(execution, timer);
}

}  // namespace andon::workflow
