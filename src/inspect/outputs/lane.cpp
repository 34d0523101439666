// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/lane.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "inspect/outputs/urgent_thread.hpp"

namespace andon::inspect {

namespace {

constexpr std::chrono::hours kIdle{1};
constexpr std::chrono::seconds kBetweenReports{1};
constexpr std::chrono::milliseconds kBetweenLooks{50};

Instant now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Lane::Lane(OutputSettings settings, const MakeDriver& make, std::shared_ptr<DeadlineCounts> counts,
           std::function<void()> on_done)
    : settings_(std::move(settings)), counts_(std::move(counts)), on_done_(std::move(on_done)) {
  for (std::size_t i = 0; i < settings_.at_once; ++i) drivers_.push_back(make());
  for (const auto& driver : drivers_) {
    threads_.emplace_back([this, &driver = *driver] { run(driver); });
  }
}

Lane::~Lane() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Lane::takes(Judgement judgement) const {
  const bool is_switch = std::holds_alternative<ModbusOutput>(settings_.target) ||
                         std::holds_alternative<GpioOutput>(settings_.target);
  // One that shows the last verdict is switched off by the others.
  const bool is_shown = is_switch && settings_.pulse == std::chrono::milliseconds{0};
  return is_shown || settings_.is_for(judgement);
}

void Lane::give(std::shared_ptr<Part> part, std::size_t index, PartVerdict verdict) {
  const Instant due = std::max(now(), verdict.triggered + settings_.delay);
  using Kind = OutputSettings::Kind;
  Task task{std::move(part), index, std::move(verdict), {}, {}};
  task.deadline = task.verdict.triggered + settings_.deadline;
  task.until =
      task.verdict.triggered +
      settings_.told_until(task.verdict.is_fail_safe ? Kind::fail_safe : Kind::of_the_model);
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.emplace(due, std::move(task));
      changed_.notify_one();
      return;
    }
  }
  report(task, "more parts wait for it than it can tell");
  settle(task, Outcome::failed, false);
}

bool Lane::is_idle() const {
  const std::lock_guard lock(mutex_);
  return is_idle_locked();
}

void Lane::wait_until_idle() const {
  std::unique_lock lock(mutex_);
  // A driver comes to rest with time alone, too.
  while (!is_idle_locked()) done_.wait_for(lock, kBetweenLooks);
}

bool Lane::is_idle_locked() const {
  return waiting_.empty() && busy_ == 0 &&
         std::ranges::all_of(drivers_, [](const auto& driver) { return driver->is_at_rest(); });
}

Instant Lane::wake_at(const Driver& driver) const {
  Instant at = now() + kIdle;
  if (!waiting_.empty()) at = std::min(at, waiting_.begin()->first);
  if (const auto upkeep = driver.upkeep_at()) at = std::min(at, *upkeep);
  return at;
}

void Lane::run(Driver& driver) {
  be_urgent_or_warn("output");
  std::unique_lock lock(mutex_);
  while (!is_stopping_ || !waiting_.empty() || !driver.is_at_rest()) {
    const Instant at = now();
    if (!waiting_.empty() && waiting_.begin()->first <= at) {
      const Task task = std::move(waiting_.extract(waiting_.begin()).mapped());
      ++busy_;
      lock.unlock();
      tell(driver, task);
      lock.lock();
      --busy_;
      done_.notify_all();
      continue;
    }
    if (const auto upkeep = driver.upkeep_at(); upkeep && *upkeep <= at) {
      ++busy_;
      lock.unlock();
      driver.upkeep(at);
      lock.lock();
      --busy_;
      done_.notify_all();
      continue;
    }
    changed_.wait_until(lock, wake_at(driver));
  }
}

void Lane::tell(Driver& driver, const Task& task) {
  if (now() > task.until) {
    report(task, "its deadline had passed before its turn came");
    settle(task, Outcome::late, false);
    return;
  }
  try {
    driver.give(task.verdict, task.until);
    const bool is_late = now() > task.deadline;
    if (is_late) report(task, "it was told after its deadline");
    settle(task, is_late ? Outcome::late : Outcome::met, true);
  } catch (const std::exception& error) {
    report(task, error.what());
    settle(task, now() >= task.deadline ? Outcome::late : Outcome::failed, false);
  }
}

void Lane::report(const Task& task, std::string_view why) {
  {
    const std::lock_guard lock(mutex_);
    if (reported_ != Instant{} && now() - reported_ < kBetweenReports) return;
    reported_ = now();
  }
  base::log_warning("the line was not told of a part in time",
                    {{"output", settings_.name},
                     {"part", task.verdict.part},
                     {"verdict", to_string(task.verdict.verdict.judgement)},
                     {"why", why}});
}

void Lane::settle(const Task& task, Outcome outcome, bool was_told) {
  std::optional<std::chrono::microseconds> took;
  if (was_told) {
    took = std::chrono::duration_cast<std::chrono::microseconds>(now() - task.verdict.triggered);
  }
  counts_->add(outcome, took);
  {
    const std::lock_guard lock(task.part->mutex_);
    Part::Given& given = task.part->given_[task.index];
    given.outcome = outcome;
    given.took = took;
  }
  on_done_();
}

}  // namespace andon::inspect
