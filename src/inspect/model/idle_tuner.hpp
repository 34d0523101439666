// SPDX-License-Identifier: Apache-2.0
// Measures how the model is best run on this machine while there is nothing else to do, on a thread
// of its own that gives way to work after the picture in hand. Used by main's thread.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "base/os/file.hpp"
#include "vision/tuning/tuning.hpp"

namespace andon::inspect {

class IdleTuner {
 public:
  // Nothing where it was interrupted, and is called again later. What it throws is logged, and ends
  // it. Always called on one thread at a time.
  using Measure = std::function<std::optional<vision::Tuning>(const vision::Tuner::IsInterrupted&)>;

  explicit IdleTuner(Measure measure);
  IdleTuner(const IdleTuner&) = delete;
  IdleTuner& operator=(const IdleTuner&) = delete;
  // Interrupts, and waits for the picture in hand.
  ~IdleTuner();

  // There is time: begins, or goes on. Nothing happens where it is at it, or has measured.
  void go_on();
  // There is work. Returns at once.
  void interrupt() { is_interrupted_ = true; }

  // Readable when take() may have something.
  [[nodiscard]] int fd() const { return event_.get(); }
  // What was measured, once.
  [[nodiscard]] std::optional<vision::Tuning> take();

 private:
  void run();

  Measure measure_;
  base::UniqueFd event_;
  std::atomic<bool> is_interrupted_ = false;
  bool is_measuring_ = false;
  bool is_finished_ = false;
  std::thread thread_;
  // Written by the thread before it makes fd() readable, read after.
  std::optional<vision::Tuning> measured_;
  bool has_failed_ = false;
};

}  // namespace andon::inspect
