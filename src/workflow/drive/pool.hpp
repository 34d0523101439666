// SPDX-License-Identifier: Apache-2.0
// A few threads that do what is posted, in order of posting. Any thread may post. The destructor
// drops what has not been begun: after a crash it would be lost as well, and nothing relies on it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace andon::workflow {

class Pool {
 public:
  explicit Pool(std::size_t threads);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  void post(std::function<void()> work);
  // Waits for what is under way; from then on nothing is begun any more.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace andon::workflow
