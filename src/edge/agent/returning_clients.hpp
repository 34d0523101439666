// SPDX-License-Identifier: Apache-2.0
// Components that an earlier agent has left running, and that talked to it: a client of the IPC
// that does not come back by itself within half a minute never will, so its component is restarted.
// So is every one whose environment is not true any more. Owned by the agent; main thread only.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "edge/loop/event_loop.hpp"
#include "edge/process/kept_record.hpp"
#include "edge/run/supervisor.hpp"

namespace andon::edge {

inline constexpr std::chrono::seconds kClientsReturnWithin{30};

class ReturningClients {
 public:
  ReturningClients(EventLoop& loop, Supervisor& supervisor)
      : loop_(loop), supervisor_(supervisor) {}
  ReturningClients(const ReturningClients&) = delete;
  ReturningClients& operator=(const ReturningClients&) = delete;
  ~ReturningClients() { loop_.cancel(timer_); }

  // Those of `kept` that had a client are awaited; with `why_all` all of them are restarted, for
  // that reason. Once the supervisor has taken them up.
  void expect(const std::vector<KeptRecord>& kept, const std::string& why_all);
  void came(const std::string& component);

 private:
  struct Awaited {
    pid_t pid = 0;  // another one has been started anew already
    std::string why;
    bool whatever_comes = false;
  };
  void look_after(std::chrono::milliseconds delay);
  void restart_missing();

  EventLoop& loop_;
  Supervisor& supervisor_;
  std::map<std::string, Awaited> awaited_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace andon::edge
