// SPDX-License-Identifier: Apache-2.0
// What a host sees: decisions, and how the execution takes each event, in time, late or never
// asked.
#include <gmock/gmock.h>

#include "asl/engine/step.hpp"
#include "asl/testing/memory_records.hpp"
#include "base/error/error.hpp"

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
  [[nodiscard]] const StateMachine& machine() const { return machine_; }
  [[nodiscard]] base::Timestamp now() const { return now_; }
  void store_and_load() {
    records_->apply(state_.take_changes());
    state_ = load_execution(records_);
  }
  [[nodiscard]] Changes take_changes() { return state_.take_changes(); }
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
  std::shared_ptr<MemoryRecords> records_ = std::make_shared<MemoryRecords>();
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
  (void)host.take_changes();
  host.report(TaskSucceeded{task, make_data(1)});
  EXPECT_THAT(host.decisions(), IsEmpty());
  EXPECT_THAT(host.history(), IsEmpty());
  EXPECT_TRUE(host.take_changes().empty());
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
  const std::int64_t task = std::get<ScheduleTask>(begun.decisions.front()).task;
  const Event event{first.time, 99, TaskFailed{task, "E", "c"}};
  Step once = step(machine, begun.state, event);
  Step again = step(machine, begun.state, event);
  EXPECT_EQ(once.state.take_changes().put, again.state.take_changes().put);
  ASSERT_EQ(once.decisions.size(), again.decisions.size());
  const auto& timer = std::get<StartTimer>(once.decisions.back());
  EXPECT_EQ(timer.due, std::get<StartTimer>(again.decisions.back()).due);
  EXPECT_LE(timer.due - first.time, std::chrono::seconds(100));
}

TEST(StepEvents, RefusesAStoredStateThatDoesNotFit) {
  const auto machine = StateMachine::parse(task(""));
  Start first;
  first.input = make_data(json::object{{"a", std::string(2000, 'x')}});
  Step begun = start(machine, first);
  const auto records = std::make_shared<MemoryRecords>();
  records->apply(begun.state.take_changes());
  const Event stop{first.time, 1, Stop{}};
  EXPECT_NO_THROW((void)step(machine, load_execution(records), stop));
  for (const char* key : {"begin/", "now/", "branch/0/"}) {
    const std::string good = records->records.at(key);
    for (const char* bad : {"", "null", "{}", "{\"phase\":\"dreaming\"}", "[1"}) {
      records->records[key] = bad;
      EXPECT_THROW((void)step(machine, load_execution(records), stop), base::Error) << key << bad;
    }
    records->records[key] = good;
  }
  const std::string good = records->records.at("branch/0/");
  std::string strange = good;
  strange.replace(strange.find("working"), 7, "dreams.");
  records->records["branch/0/"] = strange;
  EXPECT_THROW((void)step(machine, load_execution(records), stop), base::Error);
  records->records.erase("now/");
  EXPECT_THROW((void)load_execution(records), base::Error);
  EXPECT_THROW((void)load_execution(nullptr), base::Error);
}

TEST(StepEvents, AStepWritesWhatItTouchedAndReadsNoMore) {
  // Forty iterations wait for a task each; one is answered.
  Host host(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{
    "StartAt":"A","States":{"A":{"Type":"Task","End":true,"Resource":")" +
                std::string(kActivity) + R"("}}}}}})",
            base::to_text(json::array(100, json::value(std::string(2000, 'x')))));
  const auto tasks = host.asked<ScheduleTask>();
  ASSERT_EQ(tasks.size(), 40U);
  const auto records = std::make_shared<MemoryRecords>();
  const Changes first = host.take_changes();
  EXPECT_GT(first.put.size(), 80U);
  records->apply(first);
  Step next = step(host.machine(), load_execution(records),
                   Event{host.now(), 1, TaskSucceeded{tasks[7].task, make_data(1)}});
  const Changes changes = next.state.take_changes();
  EXPECT_THAT(changes.erase, ElementsAre("branch/8/"));
  std::vector<std::string> keys;
  for (const auto& [key, text] : changes.put) keys.push_back(key);
  // The Map's own record, how the iteration ended, the next one with its long item.
  EXPECT_THAT(keys, testing::UnorderedElementsAre("now/", "branch/0/", "branch/0/outcome/7/",
                                                  "branch/41/", "branch/41/data/0/"));
  // begin/, now/, the two branches, the page of the next item; not the Map's input.
  EXPECT_LE(records->reads, 6U);
}

TEST(StepEvents, WhatChildrenShareIsStoredOnce) {
  Host host(R"({"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
    {"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":1,"End":true}}},
    {"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":1,"End":true}}}]}}})",
            base::to_text(json::array(1, json::value(std::string(2000, 'x')))));
  std::size_t copies = 0;
  for (const auto& [key, text] : host.take_changes().put) {
    if (text.find("xxxx") != std::string::npos) ++copies;
  }
  EXPECT_EQ(copies, 1U);
}

TEST(StepEvents, ItemsMayComeInParts) {
  const std::string definition =
      R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"MaxConcurrency":1,
      "ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"}},
      "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
      "StartAt":"A","States":{"A":{"Type":"Succeed"}}}}}})";
  Host host(definition);
  const std::int64_t branch = host.asked<ReadItems>().front().branch;
  for (int part = 0; part < 3; ++part) {
    json::array items;
    for (int i = 0; i < 70; ++i) items.push_back(part * 70 + i);
    host.report(ItemsRead{branch, make_data(std::move(items)), "s3://b/k", part < 2});
    host.store_and_load();
  }
  for (std::int64_t i = 0; i < 210; ++i) {
    const auto children = host.asked<StartChild>();
    ASSERT_EQ(children.size(), 1U);
    EXPECT_EQ(*children[0].input, json::value(i));
    host.report(ChildEnded{branch, i, Status::succeeded, children[0].input, "", ""});
    if (host.state().status == Status::running) host.store_and_load();
  }
  EXPECT_EQ(host.state().status, Status::succeeded);
  EXPECT_EQ(host.state().output->as_array().size(), 210U);
  EXPECT_EQ(host.state().output->as_array().at(209), json::value(209));
}

TEST(StepEvents, TheResultWriterIsGivenEveryOutcome) {
  Host host(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ToleratedFailureCount":5,
    "ItemBatcher":{"MaxItemsPerBatch":2},
    "ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},
    "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
    "StartAt":"A","States":{"A":{"Type":"Succeed"}}}}}})",
            "[1,2,3,4,5]");
  const auto children = host.asked<StartChild>();
  ASSERT_EQ(children.size(), 3U);
  const std::int64_t branch = children[0].branch;
  host.store_and_load();
  host.report(ChildEnded{branch, 2, Status::succeeded, make_data("c"), "", ""});
  host.report(ChildEnded{branch, 0, Status::failed, nullptr, "E", "why"});
  host.store_and_load();
  host.report(ChildEnded{branch, 1, Status::succeeded, make_data("b"), "", ""});
  const auto writes = host.asked<WriteResults>();
  ASSERT_EQ(writes.size(), 1U);
  host.store_and_load();
  std::vector<std::string> outcomes;
  each_outcome(host.state(), writes[0], [&](std::int64_t index, const Outcome& outcome) {
    outcomes.push_back(std::to_string(index) + " " + std::to_string(outcome.items) + " " +
                       std::string(to_string(outcome.status)) + " " + outcome.error);
  });
  EXPECT_THAT(outcomes, ElementsAre("0 2 FAILED E", "1 2 SUCCEEDED ", "2 1 SUCCEEDED "));
}

}  // namespace
}  // namespace andon::asl
