// SPDX-License-Identifier: Apache-2.0
// What a host sees: decisions, and how the execution takes each event, in time, late or never
// asked.
#include <gmock/gmock.h>

#include "asl/step.hpp"
#include "base/error.hpp"

namespace andon::asl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kActivity = "arn:aws:states:us-east-1:000000000000:activity:a";

// A host that carries nothing out and shows what it was asked for.
class Host {
 public:
  explicit Host(const std::string& definition, std::string_view input = "{}")
      : machine_(StateMachine::parse(definition)) {
    Start first;
    first.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    first.input = make_data(base::parse_json(input, "input"));
    first.time = now_;
    take(start(machine_, first));
  }

  void report(EventBody body, std::chrono::seconds later = {}) {
    now_ += later;
    take(step(machine_, state_, Event{now_, 1, std::move(body)}));
  }

  template <typename Kind>
  [[nodiscard]] std::vector<Kind> asked() const {
    std::vector<Kind> found;
    for (const Decision& decision : decisions_) {
      if (const auto* kind = std::get_if<Kind>(&decision)) found.push_back(*kind);
    }
    return found;
  }
  [[nodiscard]] const ExecutionState& state() const { return state_; }
  [[nodiscard]] const std::vector<Decision>& decisions() const { return decisions_; }
  [[nodiscard]] std::vector<std::string> history() const {
    std::vector<std::string> types;
    for (const HistoryEvent& event : history_) types.push_back(event.type);
    return types;
  }
  [[nodiscard]] json::value last_event() const { return to_json(history_.back()); }

 private:
  void take(Step step) {
    state_ = std::move(step.state);
    decisions_ = std::move(step.decisions);
    history_ = std::move(step.history);
  }

  StateMachine machine_;
  base::Timestamp now_ = base::from_epoch_millis(1'700'000'000'000);
  ExecutionState state_;
  std::vector<Decision> decisions_;
  std::vector<HistoryEvent> history_;
};

std::string task(const std::string& more) {
  return R"({"StartAt":"T","States":{"T":{"Type":"Task","End":true,"Resource":")" +
         std::string(kActivity) + "\"" + more + "}}}";
}

TEST(StepEvents, AsksForATaskWithItsLimits) {
  const Host host(task(R"(,"TimeoutSeconds":60,"HeartbeatSeconds":10,"Parameters":{"a":1})"));
  const auto tasks = host.asked<ScheduleTask>();
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(base::to_text(*tasks[0].parameters), R"({"a":1})");
  EXPECT_EQ(tasks[0].timeout_seconds, 60);
  EXPECT_EQ(tasks[0].heartbeat_seconds, 10);
  EXPECT_FALSE(tasks[0].token.empty());
  std::vector<std::string> purposes;
  for (const StartTimer& timer : host.asked<StartTimer>()) purposes.push_back(timer.purpose);
  EXPECT_THAT(purposes, ElementsAre("timeout", "heartbeat"));
}

TEST(StepEvents, AHeartbeatPutsItsTimerOff) {
  Host host(task(R"(,"TimeoutSeconds":60,"HeartbeatSeconds":10)"));
  const std::int64_t old_timer = host.asked<StartTimer>().back().timer;
  const std::int64_t task = host.asked<ScheduleTask>().front().task;
  host.report(TaskHeartbeat{task}, std::chrono::seconds(9));
  ASSERT_EQ(host.asked<CancelTimer>().size(), 1U);
  EXPECT_EQ(host.asked<CancelTimer>()[0].timer, old_timer);
  ASSERT_EQ(host.asked<StartTimer>().size(), 1U);
  // The old timer no longer means anything.
  host.report(TimerFired{old_timer}, std::chrono::seconds(1));
  EXPECT_THAT(host.decisions(), IsEmpty());
  EXPECT_EQ(host.state().status, Status::running);
}

TEST(StepEvents, NamesTheWorkerThatStarted) {
  Host host(task(""));
  host.report(TaskStarted{host.asked<ScheduleTask>().front().task, "line-1"});
  EXPECT_EQ(host.last_event().at("activityStartedEventDetails").at("workerName"),
            json::value("line-1"));
}

TEST(StepEvents, ALateAnswerChangesNothing) {
  Host host(task(R"(,"TimeoutSeconds":5,"Retry":[{"ErrorEquals":["States.Timeout"]}])"));
  const std::int64_t task = host.asked<ScheduleTask>().front().task;
  host.report(TimerFired{host.asked<StartTimer>().front().timer}, std::chrono::seconds(5));
  EXPECT_THAT(host.history(), ElementsAre("ActivityTimedOut"));
  ASSERT_EQ(host.asked<CancelTask>().size(), 1U);
  const json::value before = to_json(host.state());
  host.report(TaskSucceeded{task, make_data(1)});
  EXPECT_THAT(host.decisions(), IsEmpty());
  EXPECT_THAT(host.history(), IsEmpty());
  EXPECT_EQ(to_json(host.state()), before);
}

TEST(StepEvents, StopAbortsWhatIsUnderWay) {
  Host host(task(R"(,"TimeoutSeconds":5)"));
  host.report(Stop{"Shift.End", "the line is closed"});
  EXPECT_EQ(host.state().status, Status::aborted);
  EXPECT_EQ(host.asked<CancelTask>().size(), 1U);
  EXPECT_EQ(host.asked<CancelTimer>().size(), 1U);
  EXPECT_EQ(host.asked<Finish>().size(), 1U);
  const json::value details = host.last_event().at("executionAbortedEventDetails");
  EXPECT_EQ(details.at("error"), json::value("Shift.End"));
  EXPECT_EQ(details.at("cause"), json::value("the line is closed"));
  host.report(Stop{});
  EXPECT_THAT(host.history(), IsEmpty());
}

TEST(StepEvents, ABranchThatFailsCancelsTheTasksOfTheOthers) {
  const std::string resource = "\"Resource\":\"" + std::string(kActivity) + "\"";
  Host host(R"({"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
    {"StartAt":"A","States":{"A":{"Type":"Task","End":true,)" +
            resource + R"(}}},{"StartAt":"B","States":{"B":{"Type":"Task","End":true,)" + resource +
            "}}}]}}}");
  const auto tasks = host.asked<ScheduleTask>();
  ASSERT_EQ(tasks.size(), 2U);
  host.report(TaskFailed{tasks[0].task, "E", "c"});
  ASSERT_EQ(host.asked<CancelTask>().size(), 1U);
  EXPECT_EQ(host.asked<CancelTask>()[0].task, tasks[1].task);
  EXPECT_EQ(host.state().status, Status::failed);
  EXPECT_THAT(host.history(), ElementsAre("ActivityStarted", "ActivityFailed", "TaskStateAborted",
                                          "ParallelStateFailed", "ExecutionFailed"));
}

TEST(StepEvents, StartsNoMoreChildrenThanMaxConcurrencySays) {
  Host host(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"MaxConcurrency":2,
    "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},
    "StartAt":"A","States":{"A":{"Type":"Succeed"}}}}}})",
            "[1,2,3]");
  auto children = host.asked<StartChild>();
  ASSERT_EQ(children.size(), 2U);
  EXPECT_TRUE(children[0].express);
  const std::int64_t branch = children[0].branch;
  host.report(ChildEnded{branch, 1, Status::succeeded, make_data("b"), "", ""});
  ASSERT_EQ(host.asked<StartChild>().size(), 1U);
  EXPECT_EQ(host.asked<StartChild>()[0].index, 2);
  // Reported twice, counted once.
  host.report(ChildEnded{branch, 1, Status::succeeded, make_data("b"), "", ""});
  EXPECT_THAT(host.decisions(), IsEmpty());
  host.report(ChildEnded{branch, 0, Status::failed, nullptr, "E", "c"});
  EXPECT_EQ(host.asked<AbortChildren>().size(), 1U);
  EXPECT_EQ(host.state().error, "States.ExceedToleratedFailureThreshold");
}

TEST(StepEvents, TheSameStepGivesTheSameAnswer) {
  const auto machine = StateMachine::parse(task(
      R"(,"Retry":[{"ErrorEquals":["States.ALL"],"JitterStrategy":"FULL","IntervalSeconds":100}])"));
  Start first;
  first.input = make_data(json::object());
  const Step begun = start(machine, first);
  const Event event{first.time, 99, TaskFailed{1, "E", "c"}};
  const Step once = step(machine, begun.state, event);
  const Step again = step(machine, begun.state, event);
  EXPECT_EQ(to_json(once.state), to_json(again.state));
  ASSERT_EQ(once.decisions.size(), again.decisions.size());
  const auto& timer = std::get<StartTimer>(once.decisions.back());
  EXPECT_EQ(timer.due, std::get<StartTimer>(again.decisions.back()).due);
  EXPECT_LE(timer.due - first.time, std::chrono::seconds(100));
}

TEST(StepEvents, RefusesAStoredStateThatDoesNotFit) {
  const auto machine = StateMachine::parse(task(""));
  Start first;
  json::value stored = to_json(start(machine, first).state);
  EXPECT_NO_THROW((void)execution_from_json(stored));
  stored.as_object()["branches"].as_array()[0].as_object()["phase"] = "dreaming";
  EXPECT_THROW((void)execution_from_json(stored), base::Error);
  EXPECT_THROW((void)execution_from_json(json::object()), base::Error);
  EXPECT_THROW((void)execution_from_json(nullptr), base::Error);
}

}  // namespace
}  // namespace andon::asl
