// SPDX-License-Identifier: Apache-2.0
// Carries deployments out, one at a time: follows the table of deployment_state.hpp, journals each
// state before doing its work, reports the outcome in the same transaction that ends it, and always
// goes on to the next job. Owned by the agent; main thread only, blocking work in the background,
// the journal on the state writer's thread.
// After a crash start() goes on where the journal says; a state it does not know, or one whose work
// has killed the agent three times, is rolled back.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "edge/configuration/configuration_store.hpp"
#include "edge/deploy/deployment_consent.hpp"
#include "edge/deploy/deployment_journal.hpp"
#include "edge/deploy/deployment_worker.hpp"
#include "edge/loop/cancellation.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_host.hpp"
#include "edge/run/supervisor.hpp"
#include "edge/state/state_writer.hpp"
#include "fleet/messages/deployment_progress.hpp"
#include "fleet/messages/health_message.hpp"
#include "fleet/messages/job_message.hpp"

namespace andon::edge {

class DeploymentEngine {
 public:
  struct Parts {
    EventLoop& loop;
    DeploymentJournal& journal;
    StateWriter& writer;
    DeploymentWorker& worker;
    ConfigurationStore& configurations;
    AgentHost& host;
    Supervisor& supervisor;
    UpdateOperations& updates;
    const base::Clock& clock;
  };
  struct Handlers {
    // Inside the transaction that makes the status true: on the state writer's thread, and perhaps
    // after the engine is gone.
    std::function<void(store::Transaction&, const std::string& job_id,
                       const fleet::DeploymentOutcome&)>
        report;
    // After it: send what was reported.
    std::function<void()> flush;
    // A deployment has ended and the device is ready for the next.
    std::function<void(const fleet::DeploymentHealth&)> on_end;
    // Each state, once it is in the journal. For tests that kill the agent there.
    std::function<void(DeploymentState)> on_journalled;
    // Before artifacts are fetched: the nucleus' configuration as this deployment will have it, as
    // far as it says anything of it. Otherwise one that gives the link more room would wait for it.
    std::function<void(const json::object& nucleus)> on_fetch;
  };

  DeploymentEngine(Parts parts, Handlers handlers);
  DeploymentEngine(const DeploymentEngine&) = delete;
  DeploymentEngine& operator=(const DeploymentEngine&) = delete;
  // Leaves a deployment in hand to the next start.
  ~DeploymentEngine();

  // Brings up the last good set and goes on with what was cut off. Before the loop runs: it reads
  // the journal.
  void start();
  // The job that the server wants done now; the one in hand, and one that was done, change nothing.
  // A local deployment, or one of the thing's shadow, is taken only when nothing is in hand, and
  // nothing takes its place.
  void offer(const fleet::Job& job);
  // The server has no job: what is in hand was withdrawn, if it came as a job.
  void withdraw();
  // Of one that came otherwise: false where it is not in hand, or too late.
  bool cancel_own(const std::string& job_id);

  // The agent is going down: what is in hand is left to the next start.
  void halt();

  [[nodiscard]] bool busy() const { return record_.has_value(); }
  // "RESOLVED" ...; empty when idle.
  [[nodiscard]] std::string state_name() const { return record_ ? record_->state_name : ""; }
  [[nodiscard]] std::string job_id() const { return record_ ? record_->job_id : ""; }
  // Of the deployment in hand: the step, what it is busy with, and for whom or what it waits.
  [[nodiscard]] fleet::DeploymentProgress progress() const;

 private:
  [[nodiscard]] bool knows(const fleet::Job& job) const;
  void begin(const fleet::Job& job);
  void begun(const fleet::Job& job);
  void read_document();
  void cancel(const std::string& why);
  void ask_components();
  void bring_up_last_good();
  void keep_running(const InstalledSet& set);
  void handle(DeploymentEvent event);
  void enter(const DeploymentMove& move);
  void entered(const DeploymentMove& move);
  using Also = std::function<void(store::Transaction&)>;
  // Writes the record with its new state; `then` finds it there, or an error and the old one.
  void save(DeploymentState next, Also also, std::function<void(std::exception_ptr)> then);
  void do_work(DeploymentWork work);
  void in_background(std::function<void()> work, std::function<void()> then);
  void finish_background(std::exception_ptr error, const std::function<void()>& then);
  void fail(const std::exception& error);
  void fail(const std::exception_ptr& error);
  void enter_activating(const DeploymentMove& move);
  void enter_rolling_back(const DeploymentMove& move);
  void write_again(const DeploymentMove& move, const std::exception_ptr& error);
  void bring_up(const InstalledSet& set, std::function<void()> then);
  void enter_end(const DeploymentMove& move);
  void ended(DeploymentState state, const fleet::DeploymentOutcome& outcome, bool is_new_set);
  void clean_up();
  [[nodiscard]] OnFailure policy() const;
  [[nodiscard]] fleet::DeploymentOutcome outcome_of(DeploymentState end) const;
  [[nodiscard]] fleet::DetailedStatus detailed_failure(DeploymentState end) const;
  void tell_planned_nucleus() const;
  void note(DeploymentState state) const;

  Parts parts_;
  Handlers handlers_;
  InstalledSet last_good_;
  std::optional<DeploymentRecord> record_;
  std::optional<recipe::DeploymentDocument> document_;  // of record_, where it can be read
  std::optional<LocalRequest> local_;                   // of record_, if it is a local one
  InstalledSet planned_;                                // made by the background thread
  FetchedBytes fetched_;                                // the same
  std::set<std::string> restaged_;                      // the same
  std::deque<DeploymentJournal::KnownJob> known_jobs_;  // as the journal has them
  std::optional<fleet::Job> waiting_;
  std::optional<std::string> cancelled_because_;
  bool halted_ = false;
  bool cleaning_ = false;
  std::string blocked_by_;              // what keeps a move from being written
  EventLoop::TimerId write_timer_ = 0;  // to write a move again
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Cancellation> cancellation_;
  DeploymentConsent consent_;
  // Last: it ends before what its work reads. A clean-up and the next deployment's work follow one
  // another here, so that the first does not remove what the second brings.
  Worker background_;
};

}  // namespace andon::edge
