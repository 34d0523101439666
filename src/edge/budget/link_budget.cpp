// SPDX-License-Identifier: Apache-2.0
#include "edge/budget/link_budget.hpp"

#include <time.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{100};
constexpr milliseconds kKeepEvery{10'000};
// Of who asks from elsewhere: how long it waits before it asks again, and may be late.
constexpr milliseconds kAskAgainSoon{500};
constexpr milliseconds kAskAgainLate{30'000};
constexpr milliseconds kLate{2'000};
// No server keeps a connection for long on which nothing is read.
constexpr milliseconds kLongestStop{10'000};
// What is sent as one goes over the link in so many pieces a second, so that others come between.
constexpr std::uint64_t kPiecesPerSecond = 4;
constexpr std::size_t kMostKeptBytes = 64U << 10U;
constexpr int kMinutesOfDay = 24 * 60;

VolumeMeter read_kept(const LinkBudget::World& world) {
  const VolumeMeter::Now now = world.now();
  try {
    const auto text = base::read_file_if_exists(world.file, kMostKeptBytes);
    if (text) return {*text, now};
  } catch (const base::Error& error) {
    base::log_warning("what has gone over the link today is not known and counts as nothing",
                      {{"file", world.file.string()}, {"why", error.message()}});
  }
  return VolumeMeter(now);
}

std::string minutes_text(milliseconds time) {
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(time).count();
  if (minutes < 120) return std::to_string(minutes) + " min";
  return std::to_string((minutes + 59) / 60) + " h";
}

std::string_view name_of(LinkUse use) {
  return kLinkUseNames[static_cast<std::size_t>(use)];
}

milliseconds time_of(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  return milliseconds(bytes * 1000 / bytes_per_second);
}

}  // namespace

LinkBudget::World LinkBudget::real_world(base::fs::path file) {
  const auto boot = base::read_file_if_exists("/proc/sys/kernel/random/boot_id", 128);
  const auto now = [id = std::string(base::trim(boot.value_or(""), " \n"))] {
    timespec since{};
    clock_gettime(CLOCK_BOOTTIME, &since);
    const auto gone = std::chrono::seconds(since.tv_sec) + std::chrono::nanoseconds(since.tv_nsec);
    return VolumeMeter::Now{id, std::chrono::duration_cast<milliseconds>(gone),
                            base::SystemClock().now()};
  };
  const auto local_minute = [](base::Timestamp time) {
    const std::time_t seconds = base::to_epoch_millis(time) / 1000;
    std::tm local{};
    localtime_r(&seconds, &local);
    return local.tm_hour * 60 + local.tm_min;
  };
  return {std::move(file), now, local_minute};
}

LinkBudget::LinkBudget(World world) : world_(std::move(world)), meter_(read_kept(world_)) {}

void LinkBudget::configure(BudgetSettings settings) {
  const std::lock_guard lock(mutex_);
  if (settings_ == settings) return;
  settings_ = std::move(settings);
  free_at_ = {};
  changed_.notify_all();
}

void LinkBudget::cap(LinkUse use, std::uint64_t bytes_per_second) {
  const std::lock_guard lock(mutex_);
  lane(use).bytes_per_second = bytes_per_second;
  lane(use).free_at = {};
  changed_.notify_all();
}

void LinkBudget::set_ahead(milliseconds ahead) {
  const std::lock_guard lock(mutex_);
  ahead_ = ahead;
}

void LinkBudget::on_change(std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  on_change_ = std::move(changed);
}

int LinkBudget::minute() const {
  return world_.local_minute(world_.now().wall - ahead_);
}

LinkBudget::Verdict LinkBudget::long_gate(LinkUse use, std::uint64_t bytes) const {
  if (!settings_.windows.empty()) {
    const int now = minute();
    if (const int closed = settings_.minutes_closed(use, now); closed > 0) {
      return {Gate::window, std::string(name_of(use)) + " are outside their window; go on at " +
                                minute_text((now + closed) % kMinutesOfDay)};
    }
  }
  if (!settings_.has_volume()) return {};
  const VolumeMeter::Now now = world_.now();
  for (const auto& [limit, span, name] :
       {std::tuple{settings_.bytes_per_day, VolumeMeter::kDay, "a day"},
        std::tuple{settings_.bytes_per_hour, VolumeMeter::kHour, "an hour"}}) {
    if (limit == 0) continue;
    const milliseconds left = meter_.until_fits(bytes, limit, span, now);
    if (left.count() == 0) continue;
    return {Gate::volume, std::to_string(meter_.in_last(span, now)) + " of the link's " +
                              std::to_string(limit) + " bytes " + name + " are used; " +
                              std::string(name_of(use)) + " go on in " + minutes_text(left)};
  }
  return {};
}

bool LinkBudget::Lane::waits_at(Gate gate) const {
  if (waiting[static_cast<std::size_t>(gate)] > 0) return true;
  return asks_at == gate && steady_clock::now() < asks_until;
}

std::string LinkBudget::Lane::waits_for() const {
  return why.empty() && steady_clock::now() < asks_until ? asks_why : why;
}

LinkBudget::Verdict LinkBudget::turn(LinkUse use) const {
  for (const LinkUse other : settings_.order) {
    if (other == use) break;
    // One that waits for its window is in nobody's way.
    for (const Gate gate : {Gate::rate, Gate::volume, Gate::order}) {
      if (!lane(other).waits_at(gate)) continue;
      return {Gate::order,
              std::string(name_of(use)) + " wait: " + std::string(name_of(other)) + " go first"};
    }
  }
  if (steady_clock::now() < std::max(free_at_, lane(use).free_at)) return {Gate::rate, ""};
  return {};
}

void LinkBudget::tell(std::unique_lock<std::mutex>& lock) {
  const auto changed = on_change_;
  lock.unlock();
  keep(Keep::at_once);
  if (changed) changed();
  lock.lock();
}

// Whether the gate is open now; not where it was cancelled before that, or the time is over.
template <typename Look>
bool LinkBudget::wait(std::unique_lock<std::mutex>& lock, LinkUse use, const Look& look,
                      Instant until, const std::atomic<bool>& cancelled) {
  bool is_open = false;
  bool is_told = false;
  while (!cancelled) {
    Verdict verdict = look();
    is_open = verdict.gate == Gate::open;
    if (is_open || steady_clock::now() >= until) break;
    Lane& mine = lane(use);
    int& waiting = mine.waiting[static_cast<std::size_t>(verdict.gate)];
    ++waiting;
    mine.why = std::move(verdict.why);
    const bool is_long = verdict.gate == Gate::window || verdict.gate == Gate::volume;
    if (is_long && !std::exchange(is_told, true)) tell(lock);
    changed_.wait_for(lock, kLookAgain);
    --waiting;
    mine.why.clear();
  }
  if (is_told) tell(lock);
  return is_open;
}

void LinkBudget::charge_volume(std::uint64_t bytes) {
  if (settings_.has_volume()) meter_.add(bytes, world_.now());
}

void LinkBudget::charge_rate(LinkUse use, std::uint64_t bytes) {
  const auto push = [bytes](Instant& free_at, std::uint64_t rate) {
    if (rate != 0) free_at = std::max(free_at, steady_clock::now()) + time_of(bytes, rate);
  };
  push(free_at_, settings_.bytes_per_second);
  push(lane(use).free_at, lane(use).bytes_per_second);
}

void LinkBudget::take(LinkUse use, std::uint64_t bytes, const std::atomic<bool>& cancelled) {
  {
    std::unique_lock lock(mutex_);
    const auto gate = [&] { return long_gate(use, bytes); };
    if (!wait(lock, use, gate, Instant::max(), cancelled)) return;
    charge_volume(bytes);
    // In pieces, so that those who go first come between.
    while (bytes > 0) {
      const std::uint64_t rate = own_rate(use);
      const std::uint64_t piece = rate == 0 ? bytes : std::min(bytes, 1 + rate / kPiecesPerSecond);
      const auto my_turn = [&] { return turn(use); };
      if (!wait(lock, use, my_turn, Instant::max(), cancelled)) return;
      charge_rate(use, piece);
      bytes -= piece;
    }
  }
  keep(Keep::now_and_then);
}

bool LinkBudget::await(LinkUse use, const std::atomic<bool>& cancelled) {
  std::unique_lock lock(mutex_);
  const auto gate = [&] { return long_gate(use, 1); };
  if (gate().gate == Gate::open) return false;
  wait(lock, use, gate, Instant::max(), cancelled);
  return true;
}

bool LinkBudget::spend(LinkUse use, std::uint64_t bytes, const std::atomic<bool>& cancelled) {
  bool may_go_on = false;
  {
    std::unique_lock lock(mutex_);
    charge_volume(bytes);
    charge_rate(use, bytes);
    const auto my_turn = [&] { return turn(use); };
    const Instant until = steady_clock::now() + kLongestStop;
    may_go_on = wait(lock, use, my_turn, until, cancelled) && long_gate(use, 1).gate == Gate::open;
  }
  keep(Keep::now_and_then);
  return may_go_on || cancelled;
}

LinkBudget::Leave LinkBudget::ask(LinkUse use, std::uint64_t bytes) {
  Leave leave;
  std::unique_lock lock(mutex_);
  Verdict verdict = long_gate(use, bytes);
  const bool is_long = verdict.gate != Gate::open;
  if (!is_long) verdict = turn(use);
  Lane& mine = lane(use);
  const bool was_long = mine.waits_at(Gate::window) || mine.waits_at(Gate::volume);
  if (verdict.gate == Gate::open) {
    charge_volume(bytes);
    charge_rate(use, bytes);
    mine.asks_until = {};
    leave.is_given = true;
  } else {
    leave.ask_again = is_long ? kAskAgainLate : kAskAgainSoon;
    if (verdict.gate == Gate::rate) {
      const auto free_in =
          std::chrono::ceil<milliseconds>(std::max(free_at_, mine.free_at) - steady_clock::now());
      leave.ask_again = std::clamp(free_in, milliseconds(1), kAskAgainLate);
      verdict.why = std::string(name_of(use)) + " wait for the link's bytes a second";
    }
    leave.why = verdict.why;
    mine.asks_at = verdict.gate;
    mine.asks_why = verdict.gate == Gate::rate ? std::string() : std::move(verdict.why);
    mine.asks_until = steady_clock::now() + leave.ask_again + kLate;
  }
  if (was_long != is_long) {
    tell(lock);
  } else if (leave.is_given) {
    lock.unlock();
    keep(Keep::now_and_then);
  }
  return leave;
}

std::uint64_t LinkBudget::own_rate(LinkUse use) const {
  const std::uint64_t all = settings_.bytes_per_second;
  const std::uint64_t own = lane(use).bytes_per_second;
  return all == 0 || own == 0 ? std::max(all, own) : std::min(all, own);
}

std::uint64_t LinkBudget::rate(LinkUse use) const {
  const std::lock_guard lock(mutex_);
  return own_rate(use);
}

std::string LinkBudget::waits_for(LinkUse use) const {
  const std::lock_guard lock(mutex_);
  return lane(use).waits_for();
}

json::object LinkBudget::status() const {
  const std::lock_guard lock(mutex_);
  json::object status;
  const auto add = [&](std::string_view key, std::uint64_t limit) {
    if (limit != 0) status[key] = limit;
  };
  add("bytesPerSecond", settings_.bytes_per_second);
  add("bytesPerHour", settings_.bytes_per_hour);
  add("bytesPerDay", settings_.bytes_per_day);
  if (settings_.has_volume()) {
    const VolumeMeter::Now now = world_.now();
    status["lastHourBytes"] = meter_.in_last(VolumeMeter::kHour, now);
    status["lastDayBytes"] = meter_.in_last(VolumeMeter::kDay, now);
  }
  json::object waiting;
  for (const LinkUse use : settings_.order) {
    if (std::string why = lane(use).waits_for(); !why.empty()) waiting[name_of(use)] = why;
  }
  if (!waiting.empty()) status["waiting"] = std::move(waiting);
  return status;
}

void LinkBudget::keep(Keep when) {
  const std::lock_guard file(file_mutex_);
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const Instant now = steady_clock::now();
    const bool is_due = when == Keep::at_once || now - kept_at_ >= kKeepEvery;
    if (!settings_.has_volume() || !is_due) return;
    kept_at_ = now;
    text = meter_.to_text(world_.now());
  }
  try {
    base::write_file_atomically(world_.file, text, 0600);
  } catch (const base::Error& error) {
    base::log_warning("what has gone over the link cannot be kept; it counts until the agent ends",
                      {{"why", error.message()}});
  }
}

}  // namespace andon::edge
