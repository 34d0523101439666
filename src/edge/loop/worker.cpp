// SPDX-License-Identifier: Apache-2.0
#include "edge/loop/worker.hpp"

#include <chrono>
#include <utility>

#include "base/os/blocking.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::seconds kIdle{2};

}  // namespace

Worker::~Worker() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_one();
  if (!thread_.joinable()) return;
  base::may_block("a join");
  thread_.join();
}

void Worker::run(Work work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(work), std::move(done)});
    if (std::exchange(running_, true)) {
      changed_.notify_one();
      return;
    }
  }
  // The thread before has nothing left to do but to end: the new one waits for that.
  thread_ = std::thread([this, before = std::exchange(thread_, {})]() mutable {
    if (before.joinable()) before.join();
    work_off();
  });
}

void Worker::work_off() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, kIdle, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      running_ = false;
      return;
    }
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    std::exception_ptr error;
    try {
      piece.work();
    } catch (...) {
      error = std::current_exception();
    }
    piece.work = nullptr;  // what it holds must not outlive the owner in a posted end
    loop_.post([alive = alive_, done = std::move(piece.done), error = std::move(error)] {
      if (*alive) done(error);
    });
    lock.lock();
  }
}

}  // namespace andon::edge
