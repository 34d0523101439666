// SPDX-License-Identifier: Apache-2.0
#include "asl/local/local_run.hpp"

#include <deque>

#include "asl/data/failure.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

class Runner {
 public:
  Runner(const StateMachine& machine, MockAnswers& answers, const LocalRunOptions& options,
         std::size_t& steps)
      : machine_(machine), answers_(answers), options_(options), steps_(steps) {}

  LocalRun run(const Start& first) {
    now_ = first.time;
    seed_ = first.seed;
    absorb(start(machine_, first, options_.limits));
    while (state_.status == Status::running) {
      if (++steps_ > options_.most_steps) {
        throw base::Error(base::ErrorCode::resource_exhausted,
                          "the machine took more than " + std::to_string(options_.most_steps) +
                              " steps; it does not seem to end");
      }
      if (options_.between) state_ = options_.between(std::move(state_));
      absorb(step(machine_, std::move(state_), next_event(), options_.limits));
    }
    return {state_.status, state_.output, state_.error, state_.cause, std::move(history_)};
  }

 private:
  Event next_event() {
    Event event;
    event.seed = ++seed_;
    if (!waiting_.empty()) {
      event.time = now_;
      event.body = std::move(waiting_.front());
      waiting_.pop_front();
      return event;
    }
    if (timers_.empty()) {
      throw base::Error(base::ErrorCode::internal,
                        "the execution is stuck: it waits for nothing that could happen");
    }
    const auto next = timers_.begin();
    const std::int64_t timer = next->second;
    if (next->first.first > now_) {
      if (options_.wait) options_.wait(next->first.first);
      now_ = next->first.first;
    }
    timers_.erase(next);
    event.time = now_;
    event.body = TimerFired{timer};
    return event;
  }

  void absorb(Step step) {
    state_ = std::move(step.state);
    for (HistoryEvent& happened : step.history) {
      if (options_.observe) options_.observe(happened);
      history_.push_back(std::move(happened));
    }
    for (Decision& decision : step.decisions) std::visit(Carry{*this}, decision);
  }

  struct Carry {
    Runner& runner;

    void operator()(const ScheduleTask& task) const {
      const LocalAnswer answer = runner.answers_.take(task.state);
      runner.waiting_.emplace_back(TaskStarted{task.task, ""});
      if (task.resource.pattern != Resource::Pattern::request_response) {
        runner.waiting_.emplace_back(TaskSubmitted{task.task, make_data(json::object())});
      }
      if (answer.output != nullptr) {
        runner.waiting_.emplace_back(TaskSucceeded{task.task, answer.output});
      } else if (answer.error == kTimeout || answer.error == kHeartbeatTimeout) {
        // Nothing answers; the state's own timer ends it, or else the failure does.
        const bool has_timer = task.timeout_seconds || task.heartbeat_seconds;
        if (!has_timer) {
          runner.waiting_.emplace_back(TaskFailed{task.task, answer.error, answer.cause});
        }
      } else {
        runner.waiting_.emplace_back(TaskFailed{task.task, answer.error, answer.cause});
      }
    }
    void operator()(const StartTimer& timer) const {
      runner.timers_.emplace(std::pair{timer.due, timer.timer}, timer.timer);
    }
    void operator()(const CancelTimer& timer) const {
      std::erase_if(runner.timers_,
                    [&timer](const auto& entry) { return entry.second == timer.timer; });
    }
    void operator()(const ReadItems& request) const {
      const LocalAnswer answer = runner.answers_.take(request.state + "/ItemReader");
      if (answer.output == nullptr) {
        runner.waiting_.emplace_back(ItemsFailed{request.branch, answer.cause});
        return;
      }
      Data items = answer.output;
      if (request.max_items && items->is_array() && *request.max_items >= 0 &&
          items->get_array().size() > static_cast<std::size_t>(*request.max_items)) {
        json::array some = items->get_array();
        some.resize(static_cast<std::size_t>(*request.max_items));
        items = make_data(std::move(some));
      }
      runner.waiting_.emplace_back(ItemsRead{request.branch, items, ""});
    }
    void operator()(const StartChild& child) const {
      Start first;
      first.arn = child.map_run + "/" + child.name;
      first.name = child.name;
      first.role_arn = runner.state_.role_arn;
      first.machine_arn = runner.state_.machine_arn;
      first.machine_name = runner.state_.machine_name;
      first.region = runner.state_.region;
      first.input = child.input;
      first.time = runner.now_;
      first.seed = ++runner.seed_;
      first.flow = child.flow;
      first.item = child.item;
      LocalRunOptions options = runner.options_;
      options.observe = nullptr;
      Runner inner(runner.machine_, runner.answers_, options, runner.steps_);
      const LocalRun run = inner.run(first);
      runner.waiting_.emplace_back(ChildEnded{child.branch, child.index, run.status, run.output,
                                              run.error.value_or(""), run.cause.value_or("")});
    }
    void operator()(const WriteResults& request) const {
      const LocalAnswer answer = runner.answers_.take(request.state + "/ResultWriter");
      if (answer.output != nullptr) {
        runner.waiting_.emplace_back(ResultsWritten{request.branch, answer.output});
      } else {
        runner.waiting_.emplace_back(ResultsFailed{request.branch, answer.cause});
      }
    }
    void operator()(const Continue& /*decision*/) const { runner.waiting_.emplace_front(Resume{}); }
    void operator()(const CancelTask& /*decision*/) const {}
    void operator()(const AbortChildren& /*decision*/) const {}
    void operator()(const Finish& /*decision*/) const {}
  };

  const StateMachine& machine_;
  MockAnswers& answers_;
  const LocalRunOptions& options_;
  std::size_t& steps_;
  ExecutionState state_;
  base::Timestamp now_;
  std::uint64_t seed_ = 0;
  std::deque<EventBody> waiting_;
  std::map<std::pair<base::Timestamp, std::int64_t>, std::int64_t> timers_;
  std::vector<HistoryEvent> history_;
};

}  // namespace

LocalRun run_locally(const StateMachine& machine, MockAnswers& answers,
                     const LocalRunOptions& options) {
  std::size_t steps = 0;
  return Runner(machine, answers, options, steps).run(options.start);
}

}  // namespace andon::asl
