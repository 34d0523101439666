// SPDX-License-Identifier: Apache-2.0
#include "inspect/look/pipeline.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "vision/runtime/cores.hpp"

namespace andon::inspect {

Pipeline::Pipeline(PipelineOptions options, Work work)
    : options_(std::move(options)),
      work_(std::move(work)),
      done_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!done_event_) throw base::system_error("cannot wait for the workers", errno);
  start();
}

Pipeline::~Pipeline() {
  stop();
}

void Pipeline::start() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = false;
    free_ = static_cast<std::size_t>(options_.workers);
  }
  for (int worker = 0; worker < options_.workers; ++worker) {
    threads_.emplace_back([this, worker] { run(worker); });
  }
}

void Pipeline::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Pipeline::restart(PipelineOptions options) {
  wait_until_done();
  stop();
  options_ = std::move(options);
  start();
}

void Pipeline::submit(std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    slots_.push_back({Slot::State::waiting, std::move(job)});
    ++waiting_;
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

// What waits is for all who are free: a batch never leaves another worker without a frame.
void Pipeline::take_waiting(std::vector<Slot*>& slots) {
  const std::size_t share = (waiting_ + free_ - 1) / free_;
  const std::size_t most = std::min(options_.batch, share);
  const std::size_t first = slots_.size() - waiting_;
  slots.clear();
  for (std::size_t i = 0; i < most; ++i) {
    Slot& slot = slots_[first + i];
    if (!slots.empty()) {
      const Job& before = *slots.front()->job;
      if (slot.job->model != before.model || slot.job->settings != before.settings) break;
    }
    slot.state = Slot::State::busy;
    slots.push_back(&slot);
  }
  waiting_ -= slots.size();
}

void Pipeline::run(int worker) {
  settle(worker);
  std::vector<Slot*> slots;  // deque: pushing behind and popping before leave them where they are
  std::vector<Job*> jobs;
  slots.reserve(options_.batch);
  jobs.reserve(options_.batch);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return is_stopped_ || waiting_ > 0; });
    if (is_stopped_) return;
    take_waiting(slots);
    --free_;
    lock.unlock();
    jobs.clear();
    for (const Slot* slot : slots) jobs.push_back(slot->job.get());
    work_(worker, jobs);
    lock.lock();
    ++free_;
    for (Slot* slot : slots) slot->state = Slot::State::done;
    done_.notify_all();
    if (slots.front() != &slots_.front()) continue;
    const std::uint64_t one = 1;
    // It can only fail where the counter is full, and then it is readable anyway.
    [[maybe_unused]] const ssize_t written = write(done_event_.get(), &one, sizeof one);
  }
}

}  // namespace andon::inspect
