// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/part_queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"

namespace andon::inspect {

PartQueue::PartQueue() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw base::system_error("cannot wait for parts", errno);
}

void PartQueue::set_times(std::chrono::milliseconds picture_timeout,
                          std::chrono::milliseconds camera_latency) {
  const std::lock_guard lock(mutex_);
  picture_timeout_ = picture_timeout;
  camera_latency_ = camera_latency;
}

bool PartQueue::has_room() const {
  const std::lock_guard lock(mutex_);
  return !is_closed_ && parts_.size() < kMostWaiting;
}

void PartQueue::push(std::shared_ptr<Part> part) {
  const std::lock_guard lock(mutex_);
  parts_.push_back(std::move(part));
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
  changed_.notify_all();
}

void PartQueue::give_back(std::shared_ptr<Part> part) {
  const std::lock_guard lock(mutex_);
  parts_.push_front(std::move(part));
}

std::shared_ptr<Part> PartQueue::take(Instant now) {
  const std::lock_guard lock(mutex_);
  if (parts_.empty()) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(event_.get(), &count, sizeof count);
    return nullptr;
  }
  if (parts_.front()->triggered() + camera_latency_ > now) return nullptr;
  std::shared_ptr<Part> part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

std::shared_ptr<Part> PartQueue::wait_for_part(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return !parts_.empty(); });
  return parts_.empty() ? nullptr : parts_.front();
}

bool PartQueue::take(const Part& part) {
  const std::lock_guard lock(mutex_);
  if (parts_.empty() || parts_.front().get() != &part) return false;
  parts_.pop_front();
  return true;
}

std::shared_ptr<Part> PartQueue::take_expired(Instant now) {
  const std::lock_guard lock(mutex_);
  if (parts_.empty()) return nullptr;
  if (!is_closed_ && parts_.front()->triggered() + picture_timeout_ > now) return nullptr;
  std::shared_ptr<Part> part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

std::optional<Instant> PartQueue::expires_at() const {
  const std::lock_guard lock(mutex_);
  if (parts_.empty()) return std::nullopt;
  return parts_.front()->triggered() + picture_timeout_;
}

bool PartQueue::is_empty() const {
  const std::lock_guard lock(mutex_);
  return parts_.empty();
}

void PartQueue::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

}  // namespace andon::inspect
