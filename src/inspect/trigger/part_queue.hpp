// SPDX-License-Identifier: Apache-2.0
// Parts that were triggered and wait for their picture, in their order. Bounded. A part whose
// picture does not come in time is given up, so that the next picture is the next part's. Any
// thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/os/file.hpp"
#include "inspect/outputs/part.hpp"

namespace andon::inspect {

class PartQueue {
 public:
  PartQueue();

  void set_times(std::chrono::milliseconds picture_timeout,
                 std::chrono::milliseconds camera_latency);
  // False where there is no room.
  [[nodiscard]] bool has_room() const;
  void push(std::shared_ptr<Part> part);
  // Its picture was none, after all: it waits for the next, before all others.
  void give_back(std::shared_ptr<Part> part);

  // The part of a picture that has come now; null where none waits for one.
  [[nodiscard]] std::shared_ptr<Part> take(Instant now);
  // The first that waits, left where it is; null where none came so long.
  [[nodiscard]] std::shared_ptr<Part> wait_for_part(std::chrono::milliseconds time);
  // The picture that was taken for this part has come. False where it waits no more.
  [[nodiscard]] bool take(const Part& part);
  // One whose picture did not come; null where all still may have theirs.
  [[nodiscard]] std::shared_ptr<Part> take_expired(Instant now);
  [[nodiscard]] std::optional<Instant> expires_at() const;
  [[nodiscard]] bool is_empty() const;
  // No picture will come any more: all are given up.
  void close();

  // Readable where a part may have come; take() of an empty queue makes it unreadable.
  [[nodiscard]] int fd() const { return event_.get(); }

  static constexpr std::size_t kMostWaiting = 256;

 private:
  base::UniqueFd event_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Part>> parts_;
  std::chrono::milliseconds picture_timeout_{2'000};
  std::chrono::milliseconds camera_latency_{0};
  bool is_closed_ = false;
};

}  // namespace andon::inspect
