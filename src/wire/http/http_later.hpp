// SPDX-License-Identifier: Apache-2.0
// A response that is made after the handler has returned, so that a request that waits for
// something (a commit, a task, an execution) holds no thread. Shared by who will answer it and the
// connection that will send it. Any thread. Who drops it without an answer leaves the client
// waiting until one side closes the connection.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "wire/http/http.hpp"

namespace andon::wire {

class LaterResponse {
 public:
  // The first answer counts; one after the client has gone is dropped.
  void answer(HttpResponse response);
  // `work` is called once if the client goes before it is answered, perhaps within this call.
  // It runs on the server's I/O thread: it must not block, and must not throw.
  void when_gone(std::function<void()> work);

  // --- for the side that sends it: `work` is called once, within answer() or within this call,
  // under a lock: it may do no more than hand the response on.
  void when_answered(std::function<void(HttpResponse)> work);
  // Nothing is called any more, but what when_gone() was given.
  void client_has_gone();

 private:
  enum class State { waiting, answered, ended };
  std::mutex mutex_;  // guards all that follows
  State state_ = State::waiting;
  std::optional<HttpResponse> response_;
  std::function<void(HttpResponse)> deliver_;
  std::function<void()> gone_;
  bool is_gone_ = false;
};

}  // namespace andon::wire
