// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "asl/engine.hpp"

namespace andon::asl {

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

Failure Engine::with_place(const Branch& branch, const Failure& failure) const {
  return Failure(failure.error(), "An error occurred while executing the state '" + branch.state +
                                      "' (entered at the event id #" +
                                      std::to_string(branch.entered_event) + "). " +
                                      failure.cause());
}

void Engine::stop_waiting(Branch& branch) {
  cancel_timer(branch.timer);
  cancel_timer(branch.timeout);
  cancel_timer(branch.heartbeat);
  if (branch.task != 0 && branch.phase == Phase::working) decide(CancelTask{branch.task});
  branch.task = 0;
  if (branch.phase == Phase::reading_items || branch.phase == Phase::writing_results) {
    branch.fork.reset();
  }
}

void Engine::fail_state(Branch& branch, const Failure& failure) {
  const State& state = state_of(branch);
  // What the state had begun ends with it: branches, iterations, timers.
  abort_children(branch);
  cancel_timer(branch.timer);
  cancel_timer(branch.timeout);
  cancel_timer(branch.heartbeat);
  branch.task = 0;
  branch.fork.reset();
  if (try_retry(branch, state, failure)) return;
  const std::int64_t id = branch.id;
  bool caught = false;
  try {
    context_.reset();
    caught = try_catch(branch, state, failure);
  } catch (const Failure& second) {
    if (Branch* still = find(id)) fail_branch(*still, with_place(*still, second));
    return;
  }
  if (!caught) fail_branch(branch, failure);
}

bool Engine::try_retry(Branch& branch, const State& state, const Failure& failure) {
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
    if (retrier.full_jitter) delay *= random_.uniform();
    ++made;
    ++branch.retry_count;
    branch.task_token.clear();
    branch.phase = Phase::waiting_retry;
    const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(delay * 1000));
    branch.timer = start_timer(branch, now_ + wait, "retry");
    return true;
  }
  return false;
}

bool Engine::try_catch(Branch& branch, const State& state, const Failure& failure) {
  const auto found = std::ranges::find_if(state.catches, [&failure](const Catcher& catcher) {
    return error_matches(catcher.errors, failure);
  });
  if (found == state.catches.end()) return false;
  const Catcher& catcher = *found;
  json::object object{{"Error", failure.error()}};
  // A timeout has no cause, and then none is shown.
  if (!failure.cause().empty()) object["Cause"] = failure.cause();
  const Data error_output = make_data(std::move(object));
  Data output = error_output;
  Assigned assigned;
  if (state.language == QueryLanguage::jsonata) {
    if (catcher.output || !catcher.assign.empty()) {
      Scope scope = scope_of(branch, branch.input);
      scope.error_output = error_output;
      assigned = evaluate_assignments(catcher.assign, scope);
      if (catcher.output) output = catcher.output->evaluate(scope);
    }
  } else {
    if (catcher.result_path.kind == DataPath::Kind::nothing) {
      output = branch.input;
    } else if (catcher.result_path.kind == DataPath::Kind::path) {
      output = make_data(catcher.result_path.path.insert(*branch.input, *error_output));
    }
    if (!catcher.assign.empty()) {
      assigned = evaluate_assignments(catcher.assign, scope_of(branch, error_output));
    }
  }
  leave(branch, output, catcher.next, std::move(assigned));
  return true;
}

void Engine::fail_branch(Branch& branch, const Failure& failure) {
  if (branch.parent >= 0) {
    child_failed(*find(branch.parent), branch, failure);
    return;
  }
  const auto given = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  const std::int64_t previous = failure.error() == kRuntime ? 0 : branch.previous_event;
  finish(Status::failed, nullptr, given(failure.error()), given(failure.cause()), previous);
}

void Engine::timer_fired(std::int64_t timer) {
  if (timer == 0) return;
  if (timer == execution_.execution_timer) {
    execution_.execution_timer = 0;
    stop_all(Status::timed_out, std::nullopt, std::nullopt);
    return;
  }
  for (auto& [id, branch] : execution_.branches) {
    if (branch.timer == timer) {
      branch.timer = 0;
      if (branch.phase == Phase::waiting_retry) {
        make_ready(branch, Phase::retrying);
        return;
      }
      Branch& waiter = branch;
      guarded(waiter, [&] { end_wait(waiter, state_of(waiter)); });
      return;
    }
    const bool heartbeat = branch.heartbeat == timer;
    if (heartbeat || branch.timeout == timer) {
      (heartbeat ? branch.heartbeat : branch.timeout) = 0;
      Branch& late = branch;
      stop_waiting(late);
      // A missing heartbeat is shown as States.Timeout; only ErrorEquals can tell it.
      note_task_failed(late, "TimedOut", std::string(kTimeout), std::nullopt);
      const Failure failure(std::string(kTimeout), "");
      fail_state(late, heartbeat ? failure.also_named(kHeartbeatTimeout) : failure);
      return;
    }
  }
}

void Engine::stop_all(Status status, std::optional<std::string> error,
                      std::optional<std::string> cause) {
  std::int64_t previous = 0;
  for (auto& [id, branch] : execution_.branches) {
    previous = std::max(previous, branch.previous_event);
    if (branch.phase == Phase::running_children) decide(AbortChildren{branch.id});
    stop_waiting(branch);
  }
  finish(status, nullptr, std::move(error), std::move(cause),
         status == Status::timed_out ? 0 : previous);
}

}  // namespace andon::asl
