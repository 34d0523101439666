// SPDX-License-Identifier: Apache-2.0
// An agent that a component has brought shows that it reaches its server, or gives itself up for
// the one before (launch/slots/slots.hpp). Where it cannot even do that its launcher has set an
// alarm, and counts its starts. Owned by the agent; main thread only, files on its own worker.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/state/layout.hpp"
#include "launch/slots/slots.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

class OwnTrial {
 public:
  // `problem`: why there is no connection. Reads, at once, which agent this is.
  OwnTrial(EventLoop& loop, const Layout& layout, std::function<std::string()> problem,
           std::function<void()> restart_agent);
  OwnTrial(const OwnTrial&) = delete;
  OwnTrial& operator=(const OwnTrial&) = delete;
  ~OwnTrial();

  void start();
  // With the server: it is the device's agent from now on.
  void connected();
  // The start that follows is one that this agent wants. Waits for the disk.
  void note_own_restart();

 private:
  void give_up();

  EventLoop& loop_;
  fs::path place_;
  std::function<std::string()> problem_;
  std::function<void()> restart_agent_;
  launch::Slots slots_;
  bool is_on_trial_ = false;
  EventLoop::TimerId timer_ = 0;
  Worker worker_;
};

// The state of this device; as it was before a newer agent that this one has taken over from again,
// where that has made it one that this version does not know.
[[nodiscard]] std::unique_ptr<store::Database> open_own_state(const Layout& layout);

}  // namespace andon::edge
