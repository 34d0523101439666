// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/failures.hpp"

#include <algorithm>
#include <cmath>

#include "asl/data/path_lookup.hpp"
#include "asl/engine/engine.hpp"

namespace andon::asl {
namespace {

// Whether `names` of a retrier or catcher match `failure`.
bool error_matches(const std::vector<std::string>& names, const Failure& failure) {
  const std::string& error = failure.error();
  if (error == kRuntime) return false;                // always ends the execution
  const bool terminal = error == kDataLimitExceeded;  // must be named to be caught
  const bool timeout = error == kTimeout || error == kHeartbeatTimeout;
  return std::ranges::any_of(names, [&](const std::string& name) {
    if (name == error || (!name.empty() && name == failure.other_name())) return true;
    if (name == "States.ALL") return !terminal;
    if (name == kTaskFailed) return !terminal && !timeout;
    return name == kTimeout && timeout;
  });
}

// With the state in its cause. What exceeds a limit of data says itself what it was.
Failure with_place(const Branch& branch, const Failure& failure) {
  if (failure.error() == kDataLimitExceeded) return failure;
  return Failure(failure.error(), "An error occurred while executing the state '" + branch.state +
                                      "' (entered at the event id #" +
                                      std::to_string(branch.entered_event) + "). " +
                                      failure.cause());
}

}  // namespace

void Failures::guarded(Branch& branch, const std::function<void()>& work) {
  const std::int64_t id = branch.id;
  data_.forget_context();
  try {
    work();
  } catch (const Failure& failure) {
    Branch* failed = step_.change(id);
    if (failed == nullptr || execution_.status != Status::running) return;
    if (!failure.location().empty()) {
      HistoryEvent& problem =
          step_.event(*failed, "EvaluationFailed", "evaluationFailedEventDetails");
      problem.members["error"] = failure.error();
      problem.members["cause"] = failure.cause();
      problem.members["location"] = failure.location();
      problem.members["state"] = failed->state;
    }
    fail_state(*failed, with_place(*failed, failure));
  }
}

void Failures::fail_state(Branch& branch, const Failure& failure, const char* event) {
  const State& state = step_.state_of(branch);
  // What the state had begun ends with it: branches, iterations, timers.
  parts_.forks.abort_children(branch);
  step_.cancel_timer(branch.timer);
  step_.cancel_timer(branch.timeout);
  step_.cancel_timer(branch.heartbeat);
  branch.task = 0;
  branch.fork.reset();
  if (try_retry(branch, state, failure)) return;
  if (event != nullptr) step_.event(branch, event);
  const std::int64_t id = branch.id;
  bool caught = false;
  try {
    data_.forget_context();
    caught = try_catch(branch, state, failure);
  } catch (const Failure& second) {
    if (Branch* still = step_.change(id)) fail_branch(*still, with_place(*still, second));
    return;
  }
  if (!caught) fail_branch(branch, failure);
}

bool Failures::try_retry(Branch& branch, const State& state, const Failure& failure) {
  for (std::size_t i = 0; i < state.retry.size(); ++i) {
    const Retrier& retrier = state.retry[i];
    if (!error_matches(retrier.errors, failure)) continue;
    std::int64_t& made = branch.attempts[i];
    if (made >= retrier.max_attempts) return false;
    double delay = static_cast<double>(retrier.interval_seconds) *
                   std::pow(retrier.backoff_rate, static_cast<double>(made));
    if (retrier.max_delay_seconds) {
      delay = std::min(delay, static_cast<double>(*retrier.max_delay_seconds));
    }
    constexpr double kMost = 31'622'400;
    delay = std::min(delay, kMost);
    if (retrier.full_jitter) delay *= step_.random().uniform();
    if (Inspection* inspection = step_.limits().inspection) {
      inspection->retrier = static_cast<std::int64_t>(i);
      inspection->delay_seconds = delay;
      fail_branch(branch, failure);
      return true;
    }
    ++made;
    ++branch.retry_count;
    branch.task_token.clear();
    branch.phase = Phase::waiting_retry;
    const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(delay * 1000));
    branch.timer = step_.start_timer(branch, step_.now() + wait, "retry");
    return true;
  }
  return false;
}

bool Failures::try_catch(Branch& branch, const State& state, const Failure& failure) {
  const auto found = std::ranges::find_if(state.catches, [&failure](const Catcher& catcher) {
    return error_matches(catcher.errors, failure);
  });
  if (found == state.catches.end()) return false;
  const Catcher& catcher = *found;
  if (Inspection* inspection = step_.limits().inspection) {
    inspection->catcher = found - state.catches.begin();
    inspection->caught = failure;
  }
  json::object object{{"Error", failure.error()}};
  // A timeout has no cause, and then none is shown.
  if (!failure.cause().empty()) object["Cause"] = failure.cause();
  const Data error_output = make_data(std::move(object));
  Data output = error_output;
  Assigned assigned;
  if (state.language == QueryLanguage::jsonata) {
    if (catcher.output || !catcher.assign.empty()) {
      Scope scope = data_.scope_of(branch, branch.input);
      scope.error_output = error_output;
      assigned = data_.evaluate_assignments(catcher.assign, scope);
      if (catcher.output) output = catcher.output->evaluate(scope);
    }
  } else {
    if (catcher.result_path.kind == DataPath::Kind::nothing) {
      output = branch.input.get();
    } else if (catcher.result_path.kind == DataPath::Kind::path) {
      output = insert_at(catcher.result_path.path, *branch.input.get(), *error_output);
    }
    if (!catcher.assign.empty()) {
      assigned = data_.evaluate_assignments(catcher.assign, data_.scope_of(branch, error_output));
    }
  }
  parts_.branches.leave(branch, output, catcher.next, std::move(assigned));
  return true;
}

void Failures::fail_branch(Branch& branch, const Failure& failure) {
  if (branch.parent >= 0) {
    parts_.forks.child_failed(*step_.change(branch.parent), branch, failure);
    return;
  }
  const auto given = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  const std::int64_t previous = failure.error() == kRuntime ? 0 : branch.previous_event;
  parts_.branches.finish(Status::failed, nullptr, given(failure.error()), given(failure.cause()),
                         previous);
}

}  // namespace andon::asl
