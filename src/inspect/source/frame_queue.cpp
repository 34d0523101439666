// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/frame_queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace andon::inspect {

FrameQueue::FrameQueue(std::size_t capacity)
    : capacity_(capacity), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw base::system_error("cannot wait for frames", errno);
}

void FrameQueue::signal() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
}

bool FrameQueue::push_waiting(Frame frame) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_stopped_ || frames_.size() < capacity_; });
  if (is_stopped_) return false;
  frames_.push_back(std::move(frame));
  signal();
  return true;
}

bool FrameQueue::push_dropping(Frame frame) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return false;
  if (frames_.size() >= capacity_) {
    spares_.push_back(std::move(frames_.front()));
    frames_.pop_front();
    ++dropped_;
  }
  frames_.push_back(std::move(frame));
  signal();
  return true;
}

bool FrameQueue::push_anyway(Frame frame) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return false;
  frames_.push_back(std::move(frame));
  signal();
  return true;
}

bool FrameQueue::is_full() const {
  const std::lock_guard lock(mutex_);
  return frames_.size() >= capacity_;
}

void FrameQueue::give_spare(Frame frame) {
  const std::lock_guard lock(mutex_);
  if (spares_.size() < capacity_) spares_.push_back(std::move(frame));
}

Frame FrameQueue::spare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return {};
  Frame frame = std::move(spares_.back());
  spares_.pop_back();
  return frame;
}

void FrameQueue::close(std::optional<base::Error> problem) {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  problem_ = std::move(problem);
  signal();
}

bool FrameQueue::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return is_stopped_; });
}

bool FrameQueue::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return is_stopped_;
}

std::optional<Frame> FrameQueue::take(Frame&& spare) {
  const std::lock_guard lock(mutex_);
  if (frames_.empty()) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(event_.get(), &count, sizeof count);
    if (is_closed_ && problem_) throw *problem_;
    return std::nullopt;
  }
  Frame frame = std::move(frames_.front());
  frames_.pop_front();
  if (spares_.size() < capacity_) spares_.push_back(std::move(spare));
  changed_.notify_all();
  return frame;
}

bool FrameQueue::is_closed() const {
  const std::lock_guard lock(mutex_);
  return is_closed_ && !problem_ && frames_.empty();
}

std::uint64_t FrameQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void FrameQueue::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  changed_.notify_all();
}

}  // namespace andon::inspect
