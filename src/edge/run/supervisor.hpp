// SPDX-License-Identifier: Apache-2.0
// Keeps a set of components running: starts each when its dependencies are up, stops each before
// what it depends on, and takes the device from one set to another touching only what differs.
// Owned by the agent; main thread only. Holds nothing that a crash could lose: the set is in
// config.db, processes are in the process journal, and the first change takes up those that an
// earlier agent has left running.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "edge/loop/event_loop.hpp"
#include "edge/process/process_journal.hpp"
#include "edge/run/component.hpp"

namespace andon::edge {

struct ChangeResult {
  bool ok = false;
  std::string component;  // that failed, if one did
  std::string reason;
  std::string status_code;  // "RUN_ERROR"
  bool in_bootstrap = false;
};

class Supervisor {
 public:
  // `on_change` gets the name of a component whose state has changed.
  Supervisor(EventLoop& loop, ProcessJournal& journal, ComponentHost& host,
             std::function<void(const std::string&)> on_change);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Stops what is not in `target` or differs (or is named in `restart`, or is BROKEN or ERRORED),
  // with all that depends HARD on it, then starts what is missing. `done` is called once: when all
  // have settled, when one is BROKEN, or when `limit` has passed. A second change takes the place
  // of the first, whose `done` is then never called.
  void change(std::vector<ComponentSpec> target, const std::set<std::string>& restart,
              std::chrono::milliseconds limit, std::function<void(const ChangeResult&)> done);
  void stop_all(std::function<void()> done);
  // The agent ends, and services go on without it: nothing but the destructor may follow.
  void leave();
  // Runs the uninstall step of components that are no longer in the set.
  void uninstall(std::vector<ComponentSpec> removed, std::function<void()> done);
  // Nothing for one that does not run here. False where it is unknown.
  bool restart(const std::string& name);
  // Stops it, with all that depends HARD on it, until restart() or the next change; over a restart
  // of the agent, too. False where it is unknown, or a change is under way.
  bool hold(const std::string& name);
  // Before the first change, if that is to bring up what ran before and no deployment's: what was
  // held then stays down.
  void hold_what_was_held() { held_at_start_ = host_.held(); }

  [[nodiscard]] const Component* find(const std::string& name) const;
  [[nodiscard]] Component* find(const std::string& name);
  [[nodiscard]] std::vector<const Component*> components() const;
  // True from change() until its `done`.
  [[nodiscard]] bool changing() const { return static_cast<bool>(done_); }

 private:
  void take_up(const std::vector<ComponentSpec>& target);
  void end_stray(KeptRecord record);
  void stay_down(const std::vector<ComponentSpec>& target);
  void note_change(const std::string& name);
  void wake();
  void advance();
  void stop_next();
  void start_next();
  void finish(const ChangeResult& result);
  [[nodiscard]] bool dependencies_up(const Component& component) const;

  EventLoop& loop_;
  ProcessJournal& journal_;
  ComponentHost& host_;
  std::function<void(const std::string&)> on_change_;
  std::map<std::string, std::unique_ptr<Component>> components_;
  std::vector<std::unique_ptr<Component>> uninstalling_;
  // Left by an earlier agent, and of no component that is wanted.
  std::map<std::string, std::unique_ptr<KeptProcess>> strays_;
  bool has_taken_up_ = false;
  std::vector<ComponentSpec> target_;
  std::set<std::string> to_stop_;
  std::set<std::string> restarting_;  // single restarts, outside a change
  std::set<std::string> held_;        // stopped by hand
  std::set<std::string> held_at_start_;
  std::set<std::string> changed_;  // to be told to on_change_
  std::function<void(const ChangeResult&)> done_;
  std::function<void()> all_stopped_;
  EventLoop::TimerId deadline_ = 0;
  bool woken_ = false;
  // Posted work must not reach an object that is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Pure: which running components must stop before `target` can run. `running` are the specs of
// those that run; `unhealthy` are stopped in any case.
[[nodiscard]] std::set<std::string> components_to_stop(const std::vector<ComponentSpec>& running,
                                                       const std::vector<ComponentSpec>& target,
                                                       const std::set<std::string>& unhealthy);

}  // namespace andon::edge
