// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_engine.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/builtin/built_in_components.hpp"
#include "edge/deploy/deployment_planner.hpp"
#include "edge/jobs/shadow_deployments.hpp"

namespace andon::edge {
namespace {

using State = DeploymentState;

constexpr int kMaxAttempts = 3;
// For a whole set of components to be up: longer than three installs with their default timeout.
constexpr std::chrono::minutes kActivationLimit{15};
constexpr std::chrono::minutes kRollbackLimit{15};
constexpr std::chrono::milliseconds kWriteAgain{5000};
constexpr std::string_view kCancelled = "it was cancelled";

// It takes nothing's place, and nothing takes its place.
bool waits_its_turn(const std::string& job_id) {
  return is_local_job(job_id) || is_shadow_job(job_id);
}

DeploymentFailure component_failure(const ChangeResult& result) {
  const std::string who = result.component.empty() ? "a component" : result.component;
  std::vector<std::string> codes{"COMPONENT_UPDATE_ERROR", "COMPONENT_BROKEN"};
  if (result.in_bootstrap) {
    codes.back() = result.status_code == "INSTALL_TIMEOUT" ? "COMPONENT_BOOTSTRAP_TIMEOUT"
                                                           : "COMPONENT_BOOTSTRAP_ERROR";
  }
  return {base::ErrorCode::failed_precondition,
          "component " + who + " did not come up: " + result.reason,
          std::move(codes),
          {result.component.starts_with("aws.greengrass.") ? "AWS_COMPONENT_ERROR"
                                                           : "USER_COMPONENT_ERROR"}};
}

}  // namespace

DeploymentEngine::DeploymentEngine(Parts parts, Handlers handlers)
    : parts_(parts),
      handlers_(std::move(handlers)),
      consent_({parts.updates, parts.host, parts.supervisor, parts.configurations}),
      background_(parts.loop) {}

DeploymentEngine::~DeploymentEngine() {
  *alive_ = false;
  parts_.loop.cancel(write_timer_);
  if (cancellation_) cancellation_->cancel();
}

void DeploymentEngine::start() {
  try {
    last_good_ = parts_.journal.last_good();
    for (auto& job : parts_.journal.known_jobs()) known_jobs_.push_back(std::move(job));
    record_ = parts_.journal.unfinished();
  } catch (const base::Error& error) {
    // Without it there is nothing to go back to: the next deployment installs everything anew.
    base::log_error("the saved deployments cannot be read; starting with what can be",
                    {{"why", error.message()}});
  }
  if (!record_) return bring_up_last_good();

  try {
    read_document();
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
        state ? "the agent ended three times while it worked on the deployment's state " +
                    record_->state_name + "; the deployment was given up"
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
  consent_.give_up();
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

void DeploymentEngine::offer(const fleet::Job& job) {
  if (halted_) return;
  if (record_) {
    if (record_->job_id == job.job_id && job.queued_at <= record_->queued_at) return;
    if (knows(job)) return;
    if (waits_its_turn(job.job_id)) return;  // it is offered again
    waiting_ = job;
    if (waits_its_turn(record_->job_id)) return;
    return cancel("a newer deployment (" + job.job_id + ") has taken its place");
  }
  if (knows(job)) return;  // its report is in the outbox
  parts_.loop.cancel(std::exchange(write_timer_, 0));
  begin(job);
}

void DeploymentEngine::withdraw() {
  waiting_.reset();
  if (!record_) parts_.loop.cancel(std::exchange(write_timer_, 0));
  if (record_ && !waits_its_turn(record_->job_id)) cancel(std::string(kCancelled));
}

bool DeploymentEngine::knows(const fleet::Job& job) const {
  return std::ranges::any_of(known_jobs_, [&](const auto& known) {
    return known.job_id == job.job_id && known.queued_at >= job.queued_at;
  });
}

void DeploymentEngine::begin(const fleet::Job& job) {
  base::log_info("deployment received", {{"job", job.job_id}});
  cancelled_because_.reset();
  cancellation_ = std::make_unique<Cancellation>();
  document_.reset();
  record_ = DeploymentRecord{};
  record_->job_id = job.job_id;
  record_->queued_at = job.queued_at;
  record_->state_name = to_string(State::received);
  record_->document = job.document;
  const auto id = std::make_shared<std::int64_t>(0);
  parts_.writer.run(
      [&journal = parts_.journal, report = handlers_.report, record = *record_,
       id](store::Transaction& transaction) {
        *id = journal.begin(transaction, record);
        report(transaction, record.job_id, {.status = fleet::JobStatus::in_progress});
      },
      [this, alive = alive_, job, id](std::exception_ptr error) {
        if (!*alive) return;
        if (!error) {
          record_->id = *id;
          return begun(job);
        }
        // A full disk: nobody else offers it again while the connection lasts.
        record_.reset();
        write_timer_ = parts_.loop.after(
            kWriteAgain, [this, next = std::exchange(waiting_, std::nullopt).value_or(job)] {
              write_timer_ = 0;
              offer(next);
            });
        std::rethrow_exception(error);
      });
}

void DeploymentEngine::begun(const fleet::Job& job) {
  known_jobs_.push_back({job.job_id, job.queued_at});
  if (std::ssize(known_jobs_) > DeploymentJournal::kRowsKept) known_jobs_.pop_front();
  handlers_.flush();
  note(State::received);
  if (halted_) return;
  try {
    read_document();
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

void DeploymentEngine::read_document() {
  local_.reset();
  if (!is_local_job(record_->job_id)) {
    document_ = recipe::parse_deployment_document(record_->document);
    return;
  }
  LocalDeployment local =
      parse_local_document(record_->document, local_deployment_id(record_->job_id), last_good_);
  document_ = std::move(local.document);
  local_ = std::move(local.request);
}

bool DeploymentEngine::cancel_own(const std::string& job_id) {
  if (!record_ || record_->job_id != job_id) return false;
  const auto state = record_->state();
  if (!state || !can_cancel(*state)) return false;
  cancel(std::string(kCancelled));
  return true;
}

void DeploymentEngine::cancel(const std::string& why) {
  const auto state = record_->state();
  if (!state || !can_cancel(*state) || cancelled_because_) return;
  cancelled_because_ = why;
  cancellation_->cancel();  // the work in the background ends soon, and then the deployment
  if (!consent_.asking()) return;
  consent_.give_up();
  finish_background(nullptr, {});
}

void DeploymentEngine::ask_components() {
  consent_.ask(*document_, *record_->plan, [this](std::exception_ptr error) {
    finish_background(std::move(error), [this] { handle(DeploymentEvent::work_done); });
  });
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
  if (event == DeploymentEvent::resumed) return do_work(move->work);
  enter(*move);
}

void DeploymentEngine::enter(const DeploymentMove& move) {
  switch (move.next) {
    case State::activating:
      return enter_activating(move);
    case State::rolling_back:
      return enter_rolling_back(move);
    case State::succeeded:
    case State::rolled_back:
    case State::failed:
      return enter_end(move);
    default:
      save(move.next, {}, [this, move](const std::exception_ptr& error) {
        // The journal still has the state before: what failed is the move itself.
        if (error) return fail(error);
        entered(move);
      });
  }
}

void DeploymentEngine::entered(const DeploymentMove& move) {
  note(move.next);
  if (halted_) return;
  do_work(move.work);
}

void DeploymentEngine::save(State next, Also also, std::function<void(std::exception_ptr)> then) {
  DeploymentRecord saved = *record_;
  saved.state_name = to_string(next);
  StateWriter::Work work = [&journal = parts_.journal, saved = std::move(saved),
                            also = std::move(also)](store::Transaction& transaction) {
    journal.write(transaction, saved);
    if (also) also(transaction);
  };
  StateWriter::Done done = [this, alive = alive_, next,
                            then = std::move(then)](std::exception_ptr error) {
    if (!*alive) return;
    if (!error) {
      record_->state_name = to_string(next);
      record_->attempts = 0;
      blocked_by_.clear();
    }
    then(std::move(error));
  };
  if (outlives_power_cut(next)) return parts_.writer.run(std::move(work), std::move(done));
  parts_.writer.run_unsynced(std::move(work), std::move(done));
}

void DeploymentEngine::enter_activating(const DeploymentMove& move) {
  parts_.configurations.begin_change([this, alive = alive_, move] {
    if (!*alive) return;
    const auto planned = std::make_shared<Configurations>();
    try {
      *planned = plan_configurations(*document_, *record_->plan, parts_.configurations.all());
    } catch (const base::Error& error) {
      parts_.configurations.end_change();
      return fail(error);
    }
    record_->previous_configuration = parts_.configurations.all();
    save(
        State::activating,
        [planned, now = parts_.clock.now()](store::Transaction& transaction) {
          ConfigurationStore::write(transaction, *planned, now);
        },
        [this, planned, move](const std::exception_ptr& error) {
          if (!error) {
            parts_.host.activate(*record_->plan, parts_.configurations.all());
            parts_.configurations.adopt(std::move(*planned));
          }
          parts_.configurations.end_change();
          if (error) return fail(error);
          entered(move);
        });
  });
}

void DeploymentEngine::enter_rolling_back(const DeploymentMove& move) {
  parts_.configurations.begin_change([this, alive = alive_, move] {
    if (!*alive) return;
    const auto previous = record_->previous_configuration;
    save(
        State::rolling_back,
        [previous, now = parts_.clock.now()](store::Transaction& transaction) {
          if (previous) ConfigurationStore::write(transaction, *previous, now);
        },
        [this, previous, move](const std::exception_ptr& error) {
          if (!error && previous) parts_.configurations.adopt(*previous);
          parts_.configurations.end_change();
          if (error) return write_again(move, error);
          entered(move);
        });
  });
}

// A full disk must not take the agent, and with it the components, down.
void DeploymentEngine::write_again(const DeploymentMove& move, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& what) {
    blocked_by_ = std::string("its new state cannot be written: ") + what.what();
    base::log_error(
        "a deployment's new state cannot be written; trying again",
        {{"job", record_->job_id}, {"state", to_string(move.next)}, {"why", what.what()}});
  }
  write_timer_ = parts_.loop.after(kWriteAgain, [this, move] {
    write_timer_ = 0;
    enter(move);
  });
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
           input = ResolveInput{*document_, last_good_, parts_.configurations.all(), local_}] {
            planned_ = worker.resolve(input, *cancellation_);
          },
          [this, done] {
            record_->plan = std::move(planned_);
            done();
          });
    case DeploymentWork::fetch:
      tell_planned_nucleus();
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
          [this, &worker] { restaged_ = worker.stage(*record_->plan, last_good_, *cancellation_); },
          [this, done] {
            for (const std::string& name : restaged_) {
              parts_.host.forget_installed_version(*record_->plan->find(name));
            }
            done();
          });
    case DeploymentWork::ask:
      return ask_components();
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
  background_.run(std::move(work), [this, then = std::move(then)](std::exception_ptr error) {
    finish_background(std::move(error), then);
  });
}

void DeploymentEngine::finish_background(std::exception_ptr error,
                                         const std::function<void()>& then) {
  if (halted_) return;
  if (cancelled_because_) {
    record_->failure = report_of(base::Error(base::ErrorCode::cancelled, *cancelled_because_));
    record_->failed_in = record_->state_name;
    return handle(DeploymentEvent::cancelled);
  }
  if (!error) return then();
  fail(error);
}

void DeploymentEngine::fail(const std::exception_ptr& error) {
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

fleet::DeploymentOutcome DeploymentEngine::outcome_of(State end) const {
  using fleet::DetailedStatus;
  using fleet::JobStatus;
  const auto outcome = [](JobStatus status, DetailedStatus detailed, FailureReport report) {
    return fleet::DeploymentOutcome{status,
                                    {std::string(to_string(detailed)), std::move(report.cause),
                                     std::move(report.error_stack), std::move(report.error_types)}};
  };
  if (end == State::succeeded) return outcome(JobStatus::succeeded, DetailedStatus::successful, {});
  FailureReport report = record_->failure.value_or(FailureReport{"unknown", {}, {}, false});
  if (report.rejected) {
    return outcome(JobStatus::rejected, DetailedStatus::rejected, std::move(report));
  }
  return outcome(JobStatus::failed, detailed_failure(end), std::move(report));
}

fleet::DetailedStatus DeploymentEngine::detailed_failure(State end) const {
  using fleet::DetailedStatus;
  if (end == State::rolled_back) return DetailedStatus::failed_rollback_complete;
  const std::optional<State> failed_in = parse_deployment_state(record_->failed_in);
  const bool touched = failed_in && !can_cancel(*failed_in);
  if (!touched) return DetailedStatus::failed_no_state_change;
  return policy() == OnFailure::do_nothing ? DetailedStatus::failed_rollback_not_requested
                                           : DetailedStatus::failed_unable_to_rollback;
}

void DeploymentEngine::enter_end(const DeploymentMove& move) {
  const fleet::DeploymentOutcome outcome = outcome_of(move.next);
  // With DO_NOTHING the set that failed is what the device has from now on.
  const bool is_new_set = move.next == State::succeeded ||
                          outcome.details.detailed_status ==
                              to_string(fleet::DetailedStatus::failed_rollback_not_requested);
  std::optional<InstalledSet> new_set;
  if (is_new_set) new_set = record_->plan;
  save(
      move.next,
      [new_set = std::move(new_set), report = handlers_.report, job_id = record_->job_id,
       outcome](store::Transaction& transaction) {
        if (new_set) DeploymentJournal::write_last_good(transaction, *new_set);
        report(transaction, job_id, outcome);
      },
      [this, move, outcome, is_new_set](const std::exception_ptr& error) {
        if (error) return write_again(move, error);
        ended(move.next, outcome, is_new_set);
      });
}

void DeploymentEngine::ended(State state, const fleet::DeploymentOutcome& outcome,
                             bool is_new_set) {
  handlers_.flush();
  note(state);
  base::log_info("deployment ended", {{"job", record_->job_id},
                                      {"state", record_->state_name},
                                      {"detailed_status", outcome.details.detailed_status}});
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
  fleet::DeploymentHealth health;
  health.outcome = outcome;
  health.is_local = is_local_job(record_->job_id);
  if (document_) {
    health.deployment_id = document_->deployment_id;
    health.configuration_arn = document_->configuration_arn;
  }
  record_.reset();
  document_.reset();
  cancelled_because_.reset();
  consent_.ended();
  // What a broken network has left half fetched is kept for the next attempt.
  const bool keep_partial =
      std::ranges::any_of(outcome.details.error_stack, [](const std::string& code) {
        return code == "NETWORK_ERROR" || code == "THROTTLING_ERROR" || code == "SERVER_ERROR";
      });
  parts_.supervisor.uninstall(std::move(removed), [this, keep_partial] {
    if (!keep_partial) clean_up();
  });
  handlers_.on_end(health);
  if (!waiting_) return;
  const fleet::Job next = *std::exchange(waiting_, std::nullopt);
  offer(next);
}

void DeploymentEngine::clean_up() {
  if (busy() || std::exchange(cleaning_, true)) return;  // one in hand cleans up at its end
  background_.run(
      [&worker = parts_.worker, keep = last_good_] { worker.clean_up(keep); },
      [this](std::exception_ptr error) {
        cleaning_ = false;
        if (!error) return;
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& what) {
          base::log_warning("old components could not be removed", {{"why", what.what()}});
        }
      });
}

fleet::DeploymentProgress DeploymentEngine::progress() const {
  fleet::DeploymentProgress now;
  if (!record_) return now;
  const State state = record_->state().value_or(State::rolling_back);
  now.step = describe(state);
  now.reason = consent_.waits_for();
  if (state == State::resolved) {
    const FetchProgress fetched = parts_.worker.progress();
    now.component = fetched.component;
    now.bytes = fetched.bytes;
    now.of_bytes = fetched.of_bytes;
    if (now.reason.empty()) now.reason = fetched.waits_for;
  }
  if (state == State::activating || state == State::rolling_back) {
    for (const Component* component : std::as_const(parts_.supervisor).components()) {
      if (component->settled()) continue;
      now.component = component->spec().name;
      now.reason = std::string(to_string(component->state()));
      if (!component->reason().empty()) now.reason += ": " + component->reason();
      break;
    }
  }
  if (now.reason.empty() && cancellation_) now.reason = cancellation_->waits_for();
  if (!blocked_by_.empty()) now.reason = blocked_by_;
  return now;
}

void DeploymentEngine::tell_planned_nucleus() const {
  const std::string name(kNucleus);
  if (!handlers_.on_fetch || !document_->components.contains(name)) return;
  try {
    const Configurations planned =
        plan_configurations(*document_, *record_->plan, parts_.configurations.all());
    const auto nucleus = planned.find(name);
    if (nucleus != planned.end()) handlers_.on_fetch(nucleus->second);
  } catch (const base::Error& error) {
    // Then the configuration before counts; to activate the deployment will fail for the reason.
    base::log_warning("the planned configuration cannot be read", {{"why", error.message()}});
  }
}

void DeploymentEngine::note(State state) const {
  if (handlers_.on_journalled) handlers_.on_journalled(state);
}

}  // namespace andon::edge
