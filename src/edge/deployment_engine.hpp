// SPDX-License-Identifier: Apache-2.0
// Carries deployments out, one at a time: follows the table of deployment_state.hpp, journals each
// state before doing its work, reports the outcome in the same transaction that ends it, and always
// goes on to the next job. Owned by the agent; main thread only, blocking work in the background.
// After a crash start() goes on where the journal says; a state it does not know, or one whose work
// has killed the agent three times, is rolled back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "edge/background_task.hpp"
#include "edge/cancellation.hpp"
#include "edge/component_host.hpp"
#include "edge/configuration_store.hpp"
#include "edge/deployment_journal.hpp"
#include "edge/deployment_worker.hpp"
#include "edge/event_loop.hpp"
#include "edge/job_messages.hpp"
#include "edge/supervisor.hpp"

namespace andon::edge {

// What became of a deployment, for the health message.
struct DeploymentOutcome {
  std::string deployment_id;
  std::string configuration_arn;
  JobStatus status;
};

class DeploymentEngine {
 public:
  struct Parts {
    EventLoop& loop;
    DeploymentJournal& journal;
    DeploymentWorker& worker;
    ConfigurationStore& configurations;
    AgentHost& host;
    Supervisor& supervisor;
    const base::Clock& clock;
  };
  struct Handlers {
    // Inside the transaction that makes the status true.
    std::function<void(store::Transaction&, const std::string& job_id, const JobStatus&)> report;
    // After it: send what was reported.
    std::function<void()> flush;
    // A deployment has ended and the device is ready for the next.
    std::function<void(const DeploymentOutcome&)> on_end;
    // Each state, once it is in the journal. For tests that kill the agent there.
    std::function<void(DeploymentState)> on_journalled;
  };

  DeploymentEngine(Parts parts, Handlers handlers);
  DeploymentEngine(const DeploymentEngine&) = delete;
  DeploymentEngine& operator=(const DeploymentEngine&) = delete;
  // Leaves a deployment in hand to the next start.
  ~DeploymentEngine();

  // Brings up the last good set and goes on with what was cut off.
  void start();
  // The job that the server wants done now; the one in hand, and one that was done, change nothing.
  void offer(const Job& job);
  // The server has no job: what is in hand was withdrawn.
  void withdraw();

  // The agent is going down: what is in hand is left to the next start.
  void halt();

  [[nodiscard]] bool busy() const { return record_.has_value(); }
  // "RESOLVED" ...; empty when idle.
  [[nodiscard]] std::string state_name() const { return record_ ? record_->state_name : ""; }

 private:
  void begin(const Job& job);
  void cancel(const std::string& why);
  void bring_up_last_good();
  void keep_running(const InstalledSet& set);
  void handle(DeploymentEvent event);
  void enter(const DeploymentMove& move);
  void do_work(DeploymentWork work);
  void in_background(std::function<void()> work, std::function<void()> then);
  void finish_background(std::exception_ptr error, const std::function<void()>& then);
  void fail(const std::exception& error);
  void enter_activating();
  void enter_rolling_back();
  void bring_up(const InstalledSet& set, std::function<void()> then);
  void enter_end(DeploymentState state);
  void clean_up();
  [[nodiscard]] OnFailure policy() const;
  [[nodiscard]] JobStatus status_of(DeploymentState end) const;
  void note(DeploymentState state) const;

  Parts parts_;
  Handlers handlers_;
  InstalledSet last_good_;
  std::optional<DeploymentRecord> record_;
  std::optional<recipe::DeploymentDocument> document_;  // of record_, where it can be read
  InstalledSet planned_;                                // made by the background thread
  FetchedBytes fetched_;                                // the same
  std::optional<Job> waiting_;
  std::optional<std::string> cancelled_because_;
  bool halted_ = false;
  EventLoop::TimerId end_timer_ = 0;  // to write the end of a deployment again
  std::unique_ptr<Cancellation> cancellation_;
  std::unique_ptr<BackgroundTask> task_;
  std::unique_ptr<BackgroundTask> cleaning_;
};

}  // namespace andon::edge
