// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/tasks.hpp"

#include "asl/engine/engine.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostSeconds = 99'999'999;

}  // namespace

void Tasks::run(Branch& branch, const State& state) {
  branch.task_token = step_.random().token();
  data_.forget_context();
  const Held input = data_.effective_input(branch, state);
  const Scope scope = data_.scope_of(branch, input);
  ScheduleTask request;
  request.state = state.name;
  request.resource = state.task().resource;
  request.token = branch.task_token;
  request.attempt = branch.retry_count;
  const bool integration = state.task().resource.kind == Resource::Kind::service;
  if (state.parameters) {
    request.parameters = state.parameters->evaluate(scope);
  } else if (state.language == QueryLanguage::jsonata && integration) {
    request.parameters = make_data(json::object());
  } else {
    request.parameters = input.get();
  }
  data_.show(state.language == QueryLanguage::jsonata ? "afterArguments" : "afterParameters",
             request.parameters);
  if (state.task().credentials) request.credentials = state.task().credentials->evaluate(scope);
  const auto limit = [&](const Setting& setting) -> std::optional<std::int64_t> {
    if (!setting.given()) return std::nullopt;
    const std::int64_t seconds = data_.whole_number(setting, scope);
    if (seconds < 1 || seconds > kMostSeconds) {
      throw failure(kRuntime, "The " + setting.field +
                                  " field must be from 1 to 99999999, but is " +
                                  std::to_string(seconds));
    }
    return seconds;
  };
  request.timeout_seconds = limit(state.task().timeout);
  request.heartbeat_seconds = limit(state.task().heartbeat);
  if (request.heartbeat_seconds && request.timeout_seconds &&
      *request.heartbeat_seconds >= *request.timeout_seconds) {
    throw failure(kRuntime, "HeartbeatSeconds must be smaller than TimeoutSeconds");
  }
  if (request.parameters != branch.input.in_memory())
    data_.check_size(request.parameters, state.name);

  const auto describe = [&](HistoryEvent& scheduled, const char* timeout_key) {
    if (request.timeout_seconds) scheduled.members[timeout_key] = *request.timeout_seconds;
    if (request.heartbeat_seconds && state.task().resource.kind != Resource::Kind::lambda) {
      scheduled.members["heartbeatInSeconds"] = *request.heartbeat_seconds;
    }
    if (request.credentials != nullptr) {
      const auto* role = request.credentials->if_object();
      const auto* arn = role != nullptr ? role->if_contains("RoleArn") : nullptr;
      if (arn != nullptr) scheduled.members["taskCredentials"] = json::object{{"roleArn", *arn}};
    }
  };
  switch (state.task().resource.kind) {
    case Resource::Kind::lambda: {
      HistoryEvent& scheduled =
          step_.event(branch, "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails");
      scheduled.members["resource"] = state.task().resource.text;
      scheduled.texts.emplace_back("input", request.parameters);
      describe(scheduled, "timeoutInSeconds");
      break;
    }
    case Resource::Kind::activity: {
      HistoryEvent& scheduled =
          step_.event(branch, "ActivityScheduled", "activityScheduledEventDetails");
      scheduled.members["resource"] = state.task().resource.text;
      scheduled.texts.emplace_back("input", request.parameters);
      describe(scheduled, "timeoutInSeconds");
      break;
    }
    case Resource::Kind::service: {
      HistoryEvent& scheduled = step_.event(branch, "TaskScheduled", "taskScheduledEventDetails");
      scheduled.members["resourceType"] = state.task().resource.type;
      scheduled.members["resource"] = state.task().resource.action;
      scheduled.members["region"] = execution_.region;
      scheduled.texts.emplace_back("parameters", request.parameters);
      describe(scheduled, "timeoutInSeconds");
      break;
    }
  }
  branch.phase = Phase::working;
  branch.task = execution_.new_number(branch.id);
  branch.task_started = false;
  request.task = branch.task;
  branch.heartbeat_seconds = request.heartbeat_seconds.value_or(0);
  const auto timeout = request.timeout_seconds;
  step_.decide(std::move(request));
  if (timeout) {
    branch.timeout =
        step_.start_timer(branch, step_.now() + std::chrono::seconds(*timeout), "timeout");
  }
  if (branch.heartbeat_seconds > 0) {
    branch.heartbeat = step_.start_timer(
        branch, step_.now() + std::chrono::seconds(branch.heartbeat_seconds), "heartbeat");
  }
}

void Tasks::note_started(Branch& branch, const std::string& worker) {
  if (branch.task_started) return;
  branch.task_started = true;
  const State& state = step_.state_of(branch);
  switch (state.task().resource.kind) {
    case Resource::Kind::lambda:
      step_.event(branch, "LambdaFunctionStarted");
      break;
    case Resource::Kind::activity: {
      HistoryEvent& started = step_.event(branch, "ActivityStarted", "activityStartedEventDetails");
      if (!worker.empty()) started.members["workerName"] = worker;
      break;
    }
    case Resource::Kind::service: {
      HistoryEvent& started = step_.event(branch, "TaskStarted", "taskStartedEventDetails");
      started.members["resourceType"] = state.task().resource.type;
      started.members["resource"] = state.task().resource.action;
      break;
    }
  }
}

void Tasks::note_failed(Branch& branch, const std::string& what, const std::string& error,
                        const std::optional<std::string>& cause) {
  const State& state = step_.state_of(branch);
  const bool failed = what == "Failed";
  HistoryEvent* noted = nullptr;
  switch (state.task().resource.kind) {
    case Resource::Kind::lambda:
      noted = &step_.event(
          branch, "LambdaFunction" + what,
          failed ? "lambdaFunctionFailedEventDetails" : "lambdaFunctionTimedOutEventDetails");
      break;
    case Resource::Kind::activity:
      noted = &step_.event(branch, "Activity" + what,
                           failed ? "activityFailedEventDetails" : "activityTimedOutEventDetails");
      break;
    case Resource::Kind::service:
      noted = &step_.event(branch, "Task" + what,
                           failed ? "taskFailedEventDetails" : "taskTimedOutEventDetails");
      noted->members["resourceType"] = state.task().resource.type;
      noted->members["resource"] = state.task().resource.action;
      break;
  }
  noted->members["error"] = error;
  if (cause) noted->members["cause"] = *cause;
}

void Tasks::succeeded(Branch& branch, const Data& output) {
  note_started(branch, "");
  branch.task = 0;  // it is over, there is nothing to cancel
  step_.stop_waiting(branch);
  const State& state = step_.state_of(branch);
  parts_.failures.guarded(branch, [&] {
    const bool service = state.task().resource.kind == Resource::Kind::service;
    try {
      data_.check_size(output, service ? state.task().resource.type : state.task().resource.text);
    } catch (const Failure& failure) {
      note_failed(branch, "Failed", failure.error(), failure.cause());
      parts_.failures.fail_state(branch, failure);
      return;
    }
    HistoryEvent* done = nullptr;
    switch (state.task().resource.kind) {
      case Resource::Kind::lambda:
        done =
            &step_.event(branch, "LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails");
        break;
      case Resource::Kind::activity:
        done = &step_.event(branch, "ActivitySucceeded", "activitySucceededEventDetails");
        break;
      case Resource::Kind::service:
        done = &step_.event(branch, "TaskSucceeded", "taskSucceededEventDetails");
        done->members["resourceType"] = state.task().resource.type;
        done->members["resource"] = state.task().resource.action;
        break;
    }
    done->texts.emplace_back("output", output);
    parts_.branches.complete(branch, state, output);
  });
}

void Tasks::on(const TaskStarted& event) {
  if (Branch* branch = step_.change_task(event.task)) note_started(*branch, event.worker);
}

void Tasks::on(const TaskSubmitted& event) {
  Branch* branch = step_.change_task(event.task);
  if (branch == nullptr) return;
  note_started(*branch, "");
  const Resource& resource = step_.state_of(*branch).task().resource;
  if (resource.kind != Resource::Kind::service) return;
  HistoryEvent& submitted = step_.event(*branch, "TaskSubmitted", "taskSubmittedEventDetails");
  submitted.members["resourceType"] = resource.type;
  submitted.members["resource"] = resource.action;
  if (event.output != nullptr) submitted.texts.emplace_back("output", event.output);
}

void Tasks::on(const TaskSucceeded& event) {
  if (Branch* branch = step_.change_task(event.task)) succeeded(*branch, event.output);
}

void Tasks::on(const TaskFailed& event) {
  Branch* branch = step_.change_task(event.task);
  if (branch == nullptr) return;
  note_started(*branch, "");
  branch->task = 0;  // it is over, there is nothing to cancel
  step_.stop_waiting(*branch);
  note_failed(*branch, "Failed", event.error, event.cause);
  parts_.failures.fail_state(*branch, Failure(event.error, event.cause));
}

void Tasks::on(const TaskHeartbeat& event) {
  Branch* branch = step_.change_task(event.task);
  if (branch == nullptr || branch->heartbeat_seconds == 0) return;
  step_.cancel_timer(branch->heartbeat);
  branch->heartbeat = step_.start_timer(
      *branch, step_.now() + std::chrono::seconds(branch->heartbeat_seconds), "heartbeat");
}

void Tasks::timed_out(Branch& branch, bool heartbeat) {
  (heartbeat ? branch.heartbeat : branch.timeout) = 0;
  step_.stop_waiting(branch);
  // A missing heartbeat is shown as States.Timeout; only ErrorEquals can tell it.
  note_failed(branch, "TimedOut", std::string(kTimeout), std::nullopt);
  const Failure failure(std::string(kTimeout), "");
  parts_.failures.fail_state(branch, heartbeat ? failure.also_named(kHeartbeatTimeout) : failure);
}

}  // namespace andon::asl
