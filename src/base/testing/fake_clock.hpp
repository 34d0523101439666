// SPDX-License-Identifier: Apache-2.0
// For tests: a clock that stands still until told otherwise. Any thread.
#pragma once

#include <mutex>

#include "base/time/time.hpp"

namespace andon::base {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start = Timestamp{}) : now_(start) {}

  [[nodiscard]] Timestamp now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
};

}  // namespace andon::base
