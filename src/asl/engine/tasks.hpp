// SPDX-License-Identifier: Apache-2.0
// Task states: the request to the host, and what comes back of it. Internal to asl.
#pragma once

#include <optional>
#include <string>

#include "asl/engine/part.hpp"

namespace andon::asl {

class Tasks : Part {
 public:
  explicit Tasks(Parts& parts) : Part(parts) {}

  void run(Branch& branch, const State& state);

  // What the host reports of a task. One that nobody waits for changes nothing.
  void on(const TaskStarted& event);
  void on(const TaskSubmitted& event);
  void on(const TaskSucceeded& event);
  void on(const TaskFailed& event);
  void on(const TaskHeartbeat& event);
  // TimeoutSeconds, or HeartbeatSeconds, have passed.
  void timed_out(Branch& branch, bool heartbeat);

 private:
  void succeeded(Branch& branch, const Data& output);
  void note_started(Branch& branch, const std::string& worker);
  // `what` is "Failed" or "TimedOut".
  void note_failed(Branch& branch, const std::string& what, const std::string& error,
                   const std::optional<std::string>& cause);
};

}  // namespace andon::asl
