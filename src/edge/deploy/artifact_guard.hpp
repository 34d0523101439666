// SPDX-License-Identifier: Apache-2.0
// Lets a component start only while its artifacts are the files that were verified. Each start
// looks at their inodes; where those are not what the mark says, all is read in the background, and
// what was changed is put back from the blob store or fetched anew, as often as it takes. Until
// then the component waits, and its state says why. Owned by the agent; main thread only. Holds no
// state over a restart: the marks on the disk are all it goes by.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "edge/deploy/deployment_worker.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_host.hpp"
#include "edge/run/supervisor.hpp"

namespace andon::edge {

class ArtifactGuard {
 public:
  struct Parts {
    EventLoop& loop;
    DeploymentWorker& worker;
    AgentHost& host;
    Supervisor& supervisor;
    // Something was found that is to be told: the host has a note of it.
    std::function<void(const std::string& component)> on_note;
  };

  explicit ArtifactGuard(Parts parts);
  ArtifactGuard(const ArtifactGuard&) = delete;
  ArtifactGuard& operator=(const ArtifactGuard&) = delete;
  ~ArtifactGuard();

  // False: it is looked into, and the component hears of the end.
  [[nodiscard]] bool may_start(const std::string& component);

 private:
  struct Inquiry {
    InstalledComponent component;
    Placement placement;               // written by the background thread, read after it
    std::vector<std::string> changed;  // artifacts, by name
    bool fetches = false;
  };

  void look(const InstalledComponent& component);
  void fetch(const std::shared_ptr<Inquiry>& inquiry);
  void finish(const std::shared_ptr<Inquiry>& inquiry, const std::exception_ptr& error);
  void report(Inquiry& inquiry);
  void wait(const std::string& component, const std::string& why);

  Parts parts_;
  std::map<std::string, EventLoop::TimerId> inquiries_;  // in hand; with a timer: until it rings
  Cancellation cancellation_;
  // Last: their work ends before what it uses. A check need not wait for somebody's download.
  Worker checker_;
  Worker fetcher_;
};

}  // namespace andon::edge
