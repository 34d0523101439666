// SPDX-License-Identifier: Apache-2.0
#include "events/repositories/watcher.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::events {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::chrono::seconds kGlance{1};

}  // namespace

RepositoryWatcher::RepositoryWatcher(Repositories& repositories, Ask ask,
                                     std::function<void()> moved)
    : repositories_(repositories), ask_(std::move(ask)), moved_(std::move(moved)) {}

RepositoryWatcher::~RepositoryWatcher() {
  stop();
}

void RepositoryWatcher::run() {
  for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
}

void RepositoryWatcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void RepositoryWatcher::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++woken_;
  }
  changed_.notify_all();
}

std::optional<Repository> RepositoryWatcher::next() {
  const auto due = repositories_.due(kThreads * 2);
  const std::lock_guard lock(mutex_);
  for (const Repository& one : due) {
    if (in_hand_.insert(one.name).second) return one;
  }
  return std::nullopt;
}

void RepositoryWatcher::look(const Repository& repository) {
  std::string problem;
  try {
    if (repositories_.seen(repository, ask_(repository))) moved_();
    return;
  } catch (const std::exception& error) {
    problem = error.what();
  }
  if (repository.failures == 0) {
    base::log_warning("a watched repository cannot be asked",
                      {{"repository", repository.name}, {"reason", problem}});
  }
  repositories_.failed(repository, problem);
}

void RepositoryWatcher::work() {
  std::uint64_t woken = 0;
  while (true) {
    std::optional<Repository> one;
    try {
      one = next();
      if (one) look(*one);
    } catch (const std::exception& error) {
      base::log_error("watched repositories cannot be read",
                      {{"error", std::string(error.what())}});
    }
    std::unique_lock lock(mutex_);
    if (one) in_hand_.erase(one->name);
    if (stopping_) return;
    if (one) continue;
    changed_.wait_for(lock, kGlance, [&] { return stopping_ || woken_ != woken; });
    woken = woken_;
  }
}

}  // namespace andon::events
