// SPDX-License-Identifier: Apache-2.0
#include "edge/deployment_engine.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "edge/deployment_planner.hpp"

namespace andon::edge {
namespace {

using State = DeploymentState;

constexpr int kMaxAttempts = 3;
// For a whole set of components to be up: longer than three installs with their default timeout.
constexpr std::chrono::minutes kActivationLimit{15};
constexpr std::chrono::minutes kRollbackLimit{15};
constexpr std::chrono::milliseconds kWriteAgain{5000};

DeploymentFailure component_failure(const ChangeResult& result) {
  const std::string who = result.component.empty() ? "a component" : result.component;
  return {base::ErrorCode::failed_precondition,
          "component " + who + " did not come up: " + result.reason,
          {"COMPONENT_UPDATE_ERROR", "COMPONENT_BROKEN"},
          {"USER_COMPONENT_ERROR"}};
}

}  // namespace

DeploymentEngine::DeploymentEngine(Parts parts, Handlers handlers)
    : parts_(parts), handlers_(std::move(handlers)) {}

DeploymentEngine::~DeploymentEngine() {
  parts_.loop.cancel(end_timer_);
  if (cancellation_) cancellation_->cancel();
}

void DeploymentEngine::start() {
  try {
    last_good_ = parts_.journal.last_good();
    record_ = parts_.journal.unfinished();
  } catch (const base::Error& error) {
    // Without it there is nothing to go back to: the next deployment installs everything anew.
    base::log_error("the saved deployments cannot be read; starting with what can be",
                    {{"why", error.message()}});
  }
  if (!record_) return bring_up_last_good();

  try {
    document_ = recipe::parse_deployment_document(record_->document);
  } catch (const base::Error&) {
    document_.reset();
  }
  parts_.journal.count_attempt(*record_);
  const std::optional<State> state = record_->state();
  base::log_info(
      "going on with a deployment",
      {{"job", record_->job_id}, {"state", record_->state_name}, {"attempt", record_->attempts}});
  cancellation_ = std::make_unique<Cancellation>();
  if (!state || record_->attempts > kMaxAttempts) {
    record_->failure = report_of(base::Error(
        base::ErrorCode::internal,
        state ? "the agent did not survive the state " + record_->state_name + " three times"
              : "the saved state " + record_->state_name +
                    " is not known to this version of the agent"));
    record_->failed_in = record_->state_name;
    if (state == State::rolling_back) {
      bring_up_last_good();
      return enter({State::failed, DeploymentWork::none});
    }
    return enter({State::rolling_back, DeploymentWork::roll_back});
  }
  if (can_cancel(*state)) bring_up_last_good();
  if (*state == State::activating || *state == State::checked) {
    parts_.host.activate(record_->plan.value_or(last_good_), parts_.configurations.all());
    parts_.configurations.refresh();
  }
  if (*state == State::checked && record_->plan) keep_running(*record_->plan);
  handle(DeploymentEvent::resumed);
}

void DeploymentEngine::halt() {
  halted_ = true;
  if (cancellation_) cancellation_->cancel();
}

void DeploymentEngine::bring_up_last_good() {
  parts_.host.activate(last_good_, parts_.configurations.all());
  parts_.configurations.refresh();
  keep_running(last_good_);
}

void DeploymentEngine::keep_running(const InstalledSet& set) {
  parts_.supervisor.change(
      parts_.host.specs(set), {}, kActivationLimit, [](const ChangeResult& result) {
        if (result.ok) return;
        base::log_error("the last good deployment is not running completely",
                        {{"component", result.component}, {"why", result.reason}});
      });
}

void DeploymentEngine::offer(const Job& job) {
  if (halted_) return;
  if (record_) {
    if (record_->job_id == job.job_id && job.queued_at <= record_->queued_at) return;
    if (parts_.journal.knows(job.job_id, job.queued_at)) return;
    waiting_ = job;
    return cancel("a newer deployment (" + job.job_id + ") has taken its place");
  }
  if (parts_.journal.knows(job.job_id, job.queued_at)) return;  // its report is in the outbox
  begin(job);
}

void DeploymentEngine::withdraw() {
  waiting_.reset();
  if (record_) cancel("it was cancelled");
}

void DeploymentEngine::begin(const Job& job) {
  base::log_info("deployment received", {{"job", job.job_id}});
  cancelled_because_.reset();
  cleaning_.reset();  // it must not remove what this deployment brings
  cancellation_ = std::make_unique<Cancellation>();
  record_ = parts_.journal.begin(job.job_id, job.queued_at, job.document, [&](auto& transaction) {
    handlers_.report(transaction, job.job_id, {.status = "IN_PROGRESS"});
  });
  handlers_.flush();
  note(State::received);
  try {
    document_.reset();
    document_ = recipe::parse_deployment_document(job.document);
  } catch (const base::Error& error) {
    return fail(DeploymentFailure(
        error.code(), error.message(),
        {"DEPLOYMENT_DOCUMENT_NOT_VALID", "DEPLOYMENT_DOCUMENT_PARSE_ERROR"}, {"REQUEST_ERROR"}));
  }
  if (auto refusal = find_rejection(*document_, last_good_)) {
    record_->failure = std::move(refusal);
    record_->failed_in = record_->state_name;
    return handle(DeploymentEvent::work_failed);
  }
  do_work(DeploymentWork::resolve);
}

void DeploymentEngine::cancel(const std::string& why) {
  const auto state = record_->state();
  if (!state || !can_cancel(*state) || cancelled_because_) return;
  cancelled_because_ = why;
  cancellation_->cancel();  // the work in the background ends soon, and then the deployment
}

OnFailure DeploymentEngine::policy() const {
  const bool leave =
      document_ && document_->failure_handling == recipe::FailureHandling::do_nothing;
  return leave ? OnFailure::do_nothing : OnFailure::roll_back;
}

void DeploymentEngine::handle(DeploymentEvent event) {
  const std::optional<State> state = record_->state();
  const auto move = apply(state.value_or(State::rolling_back), event, policy());
  if (!move) return;
  if (event == DeploymentEvent::resumed) {
    if (*state == State::staged) return handle(DeploymentEvent::work_done);
    return do_work(move->work);
  }
  enter(*move);
}

void DeploymentEngine::enter(const DeploymentMove& move) {
  try {
    switch (move.next) {
      case State::activating:
        enter_activating();
        break;
      case State::rolling_back:
        enter_rolling_back();
        break;
      case State::succeeded:
      case State::rolled_back:
      case State::failed:
        return enter_end(move.next);
      default:
        parts_.journal.move(*record_, move.next);
    }
  } catch (const base::Error& error) {
    // The journal still has the state before: what failed is the move itself.
    if (move.next == State::rolling_back) throw;
    return fail(error);
  }
  note(move.next);
  if (halted_) return;
  if (move.next == State::staged) return handle(DeploymentEvent::work_done);
  do_work(move.work);
}

void DeploymentEngine::enter_activating() {
  Configurations planned =
      plan_configurations(*document_, *record_->plan, parts_.configurations.all());
  record_->previous_configuration = parts_.configurations.all();
  parts_.journal.move(*record_, State::activating, [&](store::Transaction& transaction) {
    ConfigurationStore::write(transaction, planned, parts_.clock.now());
  });
  parts_.host.activate(*record_->plan, parts_.configurations.all());
  parts_.configurations.adopt(std::move(planned));
}

void DeploymentEngine::enter_rolling_back() {
  const auto previous = record_->previous_configuration;
  parts_.journal.move(*record_, State::rolling_back, [&](store::Transaction& transaction) {
    if (previous) ConfigurationStore::write(transaction, *previous, parts_.clock.now());
  });
  if (previous) parts_.configurations.adopt(*previous);
}

void DeploymentEngine::do_work(DeploymentWork work) {
  DeploymentWorker& worker = parts_.worker;
  const auto done = [this] { handle(DeploymentEvent::work_done); };
  if (work != DeploymentWork::roll_back && work != DeploymentWork::none &&
      work != DeploymentWork::resolve && !record_->plan) {
    return fail(base::Error(base::ErrorCode::data_corrupted, "the deployment's plan was lost"));
  }
  if (!document_ && work != DeploymentWork::roll_back && work != DeploymentWork::none) {
    return fail(base::Error(base::ErrorCode::data_corrupted, "the deployment's document was lost"));
  }
  switch (work) {
    case DeploymentWork::none:
      return;
    case DeploymentWork::resolve:
      return in_background(
          [this, &worker,
           input = ResolveInput{*document_, last_good_, parts_.configurations.all()}] {
            planned_ = worker.resolve(input, *cancellation_);
          },
          [this, done] {
            record_->plan = std::move(planned_);
            done();
          });
    case DeploymentWork::fetch:
      return in_background(
          [this, &worker] { fetched_ = worker.fetch(*record_->plan, last_good_, *cancellation_); },
          [this, done] {
            record_->bytes_fetched += fetched_.bytes;
            done();
          });
    case DeploymentWork::verify:
      return in_background(
          [this, &worker] { worker.verify(*record_->plan, last_good_, *cancellation_); }, done);
    case DeploymentWork::stage:
      return in_background(
          [this, &worker] { worker.stage(*record_->plan, last_good_, *cancellation_); }, done);
    case DeploymentWork::activate:
      return bring_up(*record_->plan, done);
    case DeploymentWork::commit:
      return done();
    case DeploymentWork::roll_back:
      parts_.host.activate(last_good_, parts_.configurations.all());
      parts_.configurations.refresh();
      return bring_up(last_good_, done);
  }
}

// The record, the plan and the last good set stay as they are until `then`: the thread reads them.
void DeploymentEngine::in_background(std::function<void()> work, std::function<void()> then) {
  task_ = std::make_unique<BackgroundTask>(
      parts_.loop, std::move(work),
      [this, then = std::move(then)](std::exception_ptr error) { finish_background(error, then); });
}

void DeploymentEngine::finish_background(std::exception_ptr error,
                                         const std::function<void()>& then) {
  const std::unique_ptr<BackgroundTask> ended = std::move(task_);
  if (halted_) return;
  if (cancelled_because_) {
    record_->failure = report_of(base::Error(base::ErrorCode::cancelled, *cancelled_because_));
    record_->failed_in = record_->state_name;
    return handle(DeploymentEvent::cancelled);
  }
  if (!error) return then();
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& what) {
    fail(what);
  }
}

void DeploymentEngine::fail(const std::exception& error) {
  // The first reason is the one that a person must read.
  if (!record_->failure) {
    record_->failure = report_of(error);
    record_->failed_in = record_->state_name;
  }
  base::log_error(
      "deployment failed",
      {{"job", record_->job_id}, {"state", record_->state_name}, {"why", error.what()}});
  handle(DeploymentEvent::work_failed);
}

void DeploymentEngine::bring_up(const InstalledSet& set, std::function<void()> then) {
  const bool rolling_back = record_->state() == State::rolling_back;
  parts_.supervisor.change(parts_.host.specs(set), {},
                           rolling_back ? kRollbackLimit : kActivationLimit,
                           [this, then = std::move(then)](const ChangeResult& result) {
                             if (result.ok) return then();
                             fail(component_failure(result));
                           });
}

JobStatus DeploymentEngine::status_of(State end) const {
  JobStatus status;
  if (end == State::succeeded) {
    status.status = "SUCCEEDED";
    status.detailed_status = "SUCCESSFUL";
    return status;
  }
  const FailureReport report = record_->failure.value_or(FailureReport{"unknown", {}, {}, false});
  status.status = report.rejected ? "REJECTED" : "FAILED";
  status.failure_cause = report.cause;
  status.error_stack = report.error_stack;
  status.error_types = report.error_types;
  const std::optional<State> failed_in = parse_deployment_state(record_->failed_in);
  const bool touched = failed_in && !can_cancel(*failed_in);
  if (report.rejected) {
    status.detailed_status = "REJECTED";
  } else if (end == State::rolled_back) {
    status.detailed_status = "FAILED_ROLLBACK_COMPLETE";
  } else if (!touched) {
    status.detailed_status = "FAILED_NO_STATE_CHANGE";
  } else if (policy() == OnFailure::do_nothing) {
    status.detailed_status = "FAILED_ROLLBACK_NOT_REQUESTED";
  } else {
    status.detailed_status = "FAILED_UNABLE_TO_ROLLBACK";
  }
  return status;
}

void DeploymentEngine::enter_end(State state) {
  const JobStatus status = status_of(state);
  // With DO_NOTHING the set that failed is what the device has from now on.
  const bool is_new_set =
      state == State::succeeded || status.detailed_status == "FAILED_ROLLBACK_NOT_REQUESTED";
  try {
    parts_.journal.move(*record_, state, [&](store::Transaction& transaction) {
      if (is_new_set && record_->plan) {
        DeploymentJournal::write_last_good(transaction, *record_->plan);
      }
      handlers_.report(transaction, record_->job_id, status);
    });
  } catch (const base::Error& error) {
    // A full disk must not take the agent, and with it the components, down.
    base::log_error("the end of a deployment cannot be written; trying again",
                    {{"job", record_->job_id}, {"why", error.message()}});
    end_timer_ = parts_.loop.after(kWriteAgain, [this, state] { enter_end(state); });
    return;
  }
  handlers_.flush();
  note(state);
  base::log_info("deployment ended", {{"job", record_->job_id},
                                      {"state", record_->state_name},
                                      {"detailed_status", status.detailed_status}});
  std::vector<ComponentSpec> removed;
  if (is_new_set && record_->plan) {
    InstalledSet gone;
    for (const InstalledComponent& component : last_good_.components) {
      if (record_->plan->find(component.name) == nullptr) gone.components.push_back(component);
    }
    removed = parts_.host.specs(gone);
    for (const ComponentSpec& spec : removed) parts_.host.forget_installed(spec.name);
    last_good_ = *record_->plan;
  }
  DeploymentOutcome outcome;
  outcome.status = status;
  if (document_) {
    outcome.deployment_id = document_->deployment_id;
    outcome.configuration_arn = document_->configuration_arn;
  }
  record_.reset();
  document_.reset();
  cancelled_because_.reset();
  // What a broken network has left half fetched is kept for the next attempt.
  const bool keep_partial =
      std::ranges::find(status.error_types, "NETWORK_ERROR") != status.error_types.end();
  parts_.supervisor.uninstall(std::move(removed), [this, keep_partial] {
    if (!keep_partial) clean_up();
  });
  handlers_.on_end(outcome);
  if (!waiting_) return;
  const Job next = *std::exchange(waiting_, std::nullopt);
  offer(next);
}

void DeploymentEngine::clean_up() {
  if (busy() || cleaning_) return;  // the deployment in hand cleans up at its end
  cleaning_ = std::make_unique<BackgroundTask>(
      parts_.loop, [this, keep = last_good_] { parts_.worker.clean_up(keep); },
      [this](std::exception_ptr error) {
        cleaning_.reset();
        if (!error) return;
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& what) {
          base::log_warning("old components could not be removed", {{"why", what.what()}});
        }
      });
}

void DeploymentEngine::note(State state) const {
  if (handlers_.on_journalled) handlers_.on_journalled(state);
}

}  // namespace andon::edge
