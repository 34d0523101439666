// SPDX-License-Identifier: Apache-2.0
// The one budget of a thin link: what artifacts, exports of streams and logs may send or fetch
// shares a rate, a volume an hour and a day, an order and windows. Owned by the agent and outlives
// who asks it; any thread. The volume is kept in <root>/config/link-volume.json over restarts,
// where there is a limit to it: what a power cut takes of that are at most the last ten seconds.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "edge/budget/budget_settings.hpp"
#include "edge/budget/volume_meter.hpp"

namespace andon::edge {

class LinkBudget {
 public:
  struct World {
    base::fs::path file;  // where the volume is kept
    std::function<VolumeMeter::Now()> now;
    // The minute of the device's local day.
    std::function<int(base::Timestamp)> local_minute;
  };
  // Of this machine.
  [[nodiscard]] static World real_world(base::fs::path file);

  // Reads the volume that is kept; a file that cannot be read counts as none, and the log says so.
  explicit LinkBudget(World world);
  LinkBudget(const LinkBudget&) = delete;
  LinkBudget& operator=(const LinkBudget&) = delete;

  // Holds at once, also for what waits.
  void configure(BudgetSettings settings);
  // What the use may have of the rate at most; 0: all of it.
  void cap(LinkUse use, std::uint64_t bytes_per_second);
  // The wall clock is so much ahead of the server's, which counts for windows.
  void set_ahead(std::chrono::milliseconds ahead);
  // Called where something begins or ends to wait for a window or the volume, on its thread.
  void on_change(std::function<void()> changed);

  // Before so many bytes are sent: waits until they may be; at once where it is cancelled.
  void take(LinkUse use, std::uint64_t bytes, const std::atomic<bool>& cancelled);
  // Before something is fetched whose bytes are counted by spend() as they come: waits until the
  // first of them may come. Whether it had to.
  bool await(LinkUse use, const std::atomic<bool>& cancelled);
  // These bytes have come: counts them, and keeps the caller as the rate and the order want it.
  // False where it must stop and begin again with await(): its window has closed, the volume is
  // used up, or others go first for longer than a connection should be kept.
  [[nodiscard]] bool spend(LinkUse use, std::uint64_t bytes, const std::atomic<bool>& cancelled);

  // For who sends from another process: may so many bytes go now? They are counted where they may.
  struct Leave {
    bool is_given = false;
    std::chrono::milliseconds ask_again{0};  // 30 s at most
    std::string why;                         // it is not given, for people
  };
  // Does not wait. Who is told to ask again counts as waiting until a little after that.
  [[nodiscard]] Leave ask(LinkUse use, std::uint64_t bytes);

  // The rate that connections of the use should be made for; 0: any.
  [[nodiscard]] std::uint64_t rate(LinkUse use) const;
  // Why the use waits, for people; empty where it does not.
  [[nodiscard]] std::string waits_for(LinkUse use) const;
  // For the status; without members where there is no budget.
  [[nodiscard]] base::json::object status() const;

 private:
  using Instant = std::chrono::steady_clock::time_point;
  enum class Gate { open, order, rate, window, volume };  // a use waits at
  struct Verdict {
    Gate gate = Gate::open;
    std::string why;
  };
  struct Lane {
    std::uint64_t bytes_per_second = 0;  // 0: no cap of its own
    Instant free_at{};
    std::array<int, 5> waiting{};  // callers, by Gate
    std::string why;
    // The same of who asks from elsewhere, until it should have asked again.
    Gate asks_at = Gate::open;
    std::string asks_why;
    Instant asks_until{};

    [[nodiscard]] bool waits_at(Gate gate) const;
    [[nodiscard]] std::string waits_for() const;
  };

  // What keeps it for minutes or hours, and what for moments.
  [[nodiscard]] Verdict long_gate(LinkUse use, std::uint64_t bytes) const;
  [[nodiscard]] Verdict turn(LinkUse use) const;
  template <typename Look>
  bool wait(std::unique_lock<std::mutex>& lock, LinkUse use, const Look& look, Instant until,
            const std::atomic<bool>& cancelled);
  void charge_volume(std::uint64_t bytes);
  void charge_rate(LinkUse use, std::uint64_t bytes);
  void tell(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Lane& lane(LinkUse use) { return lanes_[static_cast<std::size_t>(use)]; }
  [[nodiscard]] const Lane& lane(LinkUse use) const {
    return lanes_[static_cast<std::size_t>(use)];
  }
  [[nodiscard]] int minute() const;
  [[nodiscard]] std::uint64_t own_rate(LinkUse use) const;
  enum class Keep { now_and_then, at_once };
  void keep(Keep when);

  const World world_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  BudgetSettings settings_;
  std::chrono::milliseconds ahead_{0};
  VolumeMeter meter_;
  Instant free_at_{};
  std::array<Lane, kLinkUses> lanes_;
  std::function<void()> on_change_;
  std::chrono::steady_clock::time_point kept_at_{};
  std::mutex file_mutex_;  // one writes the file; taken before mutex_
};

}  // namespace andon::edge
