// SPDX-License-Identifier: Apache-2.0
#include "inspect/pipeline.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/log.hpp"
#include "vision/cores.hpp"

namespace andon::inspect {

Pipeline::Pipeline(const PipelineOptions& options, Work work)
    : options_(options),
      work_(std::move(work)),
      done_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!done_event_) throw base::system_error("cannot wait for the workers", errno);
  for (int worker = 0; worker < options_.workers; ++worker) {
    threads_.emplace_back([this, worker] { run(worker); });
  }
}

Pipeline::~Pipeline() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Pipeline::submit(std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    slots_.push_back({Slot::State::waiting, std::move(job)});
  }
  ++in_flight_;
  changed_.notify_one();
}

std::unique_ptr<Job> Pipeline::take() {
  std::uint64_t count = 0;
  // Before looking: what is done later makes it readable again.
  [[maybe_unused]] const ssize_t taken = read(done_event_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  if (slots_.empty() || slots_.front().state != Slot::State::done) return nullptr;
  std::unique_ptr<Job> job = std::move(slots_.front().job);
  slots_.pop_front();
  --in_flight_;
  return job;
}

void Pipeline::wait_until_done() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] {
    return std::all_of(slots_.begin(), slots_.end(),
                       [](const Slot& slot) { return slot.state == Slot::State::done; });
  });
}

void Pipeline::settle(int worker) const {
  pthread_setname_np(pthread_self(), fmt::format("worker {}", worker).c_str());
  if (options_.cores.empty()) return;
  const int core = options_.cores[static_cast<std::size_t>(worker) % options_.cores.size()];
  try {
    vision::keep_on_core(pthread_self(), core);
  } catch (const base::Error& error) {
    base::log_warning("a worker runs on any core", {{"error", error.message()}});
  }
}

void Pipeline::run(int worker) {
  settle(worker);
  std::unique_lock lock(mutex_);
  while (true) {
    const auto is_waiting = [](const Slot& slot) { return slot.state == Slot::State::waiting; };
    std::deque<Slot>::iterator next;
    changed_.wait(lock, [&] {
      next = std::find_if(slots_.begin(), slots_.end(), is_waiting);
      return is_stopped_ || next != slots_.end();
    });
    if (is_stopped_) return;
    Slot& slot = *next;  // deque: pushing behind and popping before it leave it where it is
    slot.state = Slot::State::busy;
    lock.unlock();
    work_(worker, *slot.job);
    lock.lock();
    slot.state = Slot::State::done;
    done_.notify_all();
    if (&slot != &slots_.front()) continue;
    const std::uint64_t one = 1;
    // It can only fail where the counter is full, and then it is readable anyway.
    [[maybe_unused]] const ssize_t written = write(done_event_.get(), &one, sizeof one);
  }
}

}  // namespace andon::inspect
