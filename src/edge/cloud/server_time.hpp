// SPDX-License-Identifier: Apache-2.0
// What time it is, for what the server judges by its own clock: certificates, temporary
// credentials. A device's own clock may be anywhere (no battery, set by hand); what the server
// answers anyway tells its time, which is carried on by a clock that nobody sets. Until the first
// answer it is the device's own. Owned by the agent, main thread only; nothing is kept over a
// restart.
#pragma once

#include <chrono>
#include <optional>

#include "base/time/time.hpp"
#include "edge/loop/event_loop.hpp"

namespace andon::edge {

class ServerTime final : public base::Clock {
 public:
  // Both must outlive it.
  ServerTime(const base::Clock& own, const EventLoop& loop) : own_(own), loop_(loop) {}

  [[nodiscard]] base::Timestamp now() const override;
  [[nodiscard]] bool is_known() const { return told_.has_value(); }
  // From an answer that was asked for just now, over a connection that proved to be the server's.
  void learn(base::Timestamp server_now);
  // How far the device's own clock is ahead of the server's; nothing while that is not known.
  [[nodiscard]] std::optional<std::chrono::milliseconds> own_is_ahead() const;

 private:
  struct Told {
    base::Timestamp time;
    LoopClock::Instant at;
  };

  const base::Clock& own_;
  const EventLoop& loop_;
  std::optional<Told> told_;
  bool has_warned_ = false;
};

}  // namespace andon::edge
