// SPDX-License-Identifier: Apache-2.0
#include "edge/loop/cancellation.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstWait{200};
constexpr milliseconds kLongestWait{30'000};

bool may_pass(base::ErrorCode code) {
  return code == base::ErrorCode::unavailable || code == base::ErrorCode::deadline_exceeded;
}

}  // namespace

void Cancellation::cancel() {
  {
    const std::lock_guard lock(mutex_);
    flag_ = true;
  }
  changed_.notify_all();
}

void Cancellation::throw_if_cancelled() const {
  if (flag_) throw base::Error(base::ErrorCode::cancelled, "the deployment was cancelled");
}

void Cancellation::wait(milliseconds time) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return flag_.load(); });
  throw_if_cancelled();
}

void Cancellation::note_wait(std::string reason) const {
  const std::lock_guard lock(mutex_);
  waits_for_ = std::move(reason);
}

std::string Cancellation::waits_for() const {
  const std::lock_guard lock(mutex_);
  return waits_for_;
}

void retry(const Cancellation& cancellation, milliseconds patience,
           const std::function<std::uint64_t()>& progress, const std::function<void()>& work) {
  milliseconds wait = kFirstWait;
  std::uint64_t seen = progress();
  steady_clock::time_point moved_at = steady_clock::now();
  for (;;) {
    cancellation.throw_if_cancelled();
    try {
      work();
      return cancellation.note_wait("");
    } catch (const base::Error& error) {
      if (!may_pass(error.code())) throw;
      if (const std::uint64_t now = progress(); now != seen) {
        seen = now;
        moved_at = steady_clock::now();
        wait = kFirstWait;
      }
      if (steady_clock::now() - moved_at + wait > patience) throw;
      base::log_warning("a request of the deployment has failed; trying again",
                        {{"why", error.message()}, {"wait_ms", wait.count()}});
      const auto left = std::chrono::duration_cast<std::chrono::seconds>(
          patience - (steady_clock::now() - moved_at));
      cancellation.note_wait(error.message() + " (tried again for " + std::to_string(left.count()) +
                             " s more)");
    }
    cancellation.wait(wait);
    wait = std::min(wait * 2, kLongestWait);
  }
}

}  // namespace andon::edge
