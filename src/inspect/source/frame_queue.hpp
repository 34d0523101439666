// SPDX-License-Identifier: Apache-2.0
// A few frames between the thread that makes them and main's, which takes them. Bounded: a full
// queue makes its writer wait, or drops the oldest frame and counts it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "inspect/source/frame.hpp"

namespace andon::inspect {

class FrameQueue {
 public:
  explicit FrameQueue(std::size_t capacity);

  // The writer. Each gives false, or an empty frame, where the queue was stopped.
  bool push_waiting(Frame frame);
  bool push_dropping(Frame frame);
  // Also where it is full: for few and small frames, which must not be lost.
  bool push_anyway(Frame frame);
  [[nodiscard]] bool is_full() const;
  // A frame that is not to be given: its buffers are.
  void give_spare(Frame frame);
  // A frame whose buffers were used before.
  [[nodiscard]] Frame spare();
  // The last that the writer says: nothing more comes, and why.
  void close(std::optional<base::Error> problem);
  // Waits so long, or until stopped: then false.
  [[nodiscard]] bool wait(std::chrono::milliseconds time);
  [[nodiscard]] bool is_stopped() const;

  // The reader. Throws what the writer closed with, once all before was taken.
  [[nodiscard]] std::optional<Frame> take(Frame&& spare);
  [[nodiscard]] bool is_closed() const;  // and nothing is left
  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] int fd() const { return event_.get(); }
  void stop();

 private:
  void signal() const;

  const std::size_t capacity_;
  base::UniqueFd event_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Frame> frames_;
  std::vector<Frame> spares_;
  std::optional<base::Error> problem_;
  std::uint64_t dropped_ = 0;
  bool is_closed_ = false;
  bool is_stopped_ = false;
};

}  // namespace andon::inspect
