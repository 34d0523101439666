// SPDX-License-Identifier: Apache-2.0
// What the main loop waits for besides pictures: signals that end the program, and a nudge from
// other threads. Made by main before any other thread, since a thread inherits the blocked signals.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>

#include "base/os/file.hpp"

namespace andon::inspect {

class Events {
 public:
  // Blocks SIGTERM and SIGINT in the calling thread and takes them through a descriptor.
  Events();

  // Any thread: ends the wait that runs, or the next one.
  void nudge() const;

  // Until one of `fds` (-1: none; at most kMostFds) is readable, a nudge, a signal, or `timeout`
  // (nothing: for ever). `stopped` is for ever.
  enum class Woken { readable, nudged, stopped, timed_out };
  Woken wait(std::initializer_list<int> fds, std::optional<std::chrono::milliseconds> timeout);
  static constexpr std::size_t kMostFds = 6;

 private:
  base::UniqueFd signals_;
  base::UniqueFd nudges_;
  bool is_stop_requested_ = false;
};

}  // namespace andon::inspect
