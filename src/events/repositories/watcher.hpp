// SPDX-License-Identifier: Apache-2.0
// Asks for the refs that are due, several at a time, so that one that does not answer holds up no
// other. Its threads end with it, after the question that each has under way.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "events/repositories/repositories.hpp"

namespace andon::events {

class RepositoryWatcher {
 public:
  // The commit that a repository's ref names, with a deadline of its own; it throws why it cannot
  // be had.
  using Ask = std::function<std::optional<std::string>(const Repository&)>;

  RepositoryWatcher(Repositories& repositories, Ask ask, std::function<void()> moved);
  RepositoryWatcher(const RepositoryWatcher&) = delete;
  RepositoryWatcher& operator=(const RepositoryWatcher&) = delete;
  ~RepositoryWatcher();

  void run();
  void stop();
  // Something was put.
  void wake();

 private:
  void work();
  [[nodiscard]] std::optional<Repository> next();
  void look(const Repository& repository);

  Repositories& repositories_;
  const Ask ask_;
  const std::function<void()> moved_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::set<std::string> in_hand_;
  std::uint64_t woken_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace andon::events
