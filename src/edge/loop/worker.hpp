// SPDX-License-Identifier: Apache-2.0
// Blocking work off the main thread: pieces of work in order, one at a time, each of whose results
// comes back to the event loop. Owned and used on the main thread, which it never keeps waiting.
// Its thread is started when there is work and ends when there has been none for a while, so that
// an idle agent does not pay for stacks that downloads have made deep.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "edge/loop/event_loop.hpp"

namespace andon::edge {

class Worker {
 public:
  using Work = std::function<void()>;
  // Gets what the work threw, null where it did not.
  using Done = std::function<void(std::exception_ptr)>;

  explicit Worker(EventLoop& loop) : loop_(loop) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Waits for the work in hand; what has not begun is dropped, and no `done` is called any more.
  // Not on a loop that is running.
  ~Worker();

  // `work` runs on the thread after all that came before; then `done` runs on the loop.
  void run(Work work, Done done);

 private:
  struct Piece {
    Work work;
    Done done;
  };

  void work_off();

  EventLoop& loop_;
  // The posted end must not reach an owner that is gone; read on the loop's thread only.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::thread thread_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Piece> waiting_;
  bool running_ = false;  // the thread looks at `waiting_` again before it ends
  bool stopping_ = false;
};

}  // namespace andon::edge
