// SPDX-License-Identifier: Apache-2.0
// Executions that are stopped, redriven and stopped again, at every step of each life, gone on with
// in memory or from their records.
#include <gmock/gmock.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <set>

#include "asl/engine/step.hpp"
#include "asl/testing/memory_records.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

// Carries out what it is asked for, one thing a step, and knows what is still open.
class Host {
 public:
  Host(const StateMachine& machine, bool stores) : machine_(machine), stores_(stores) {
    Start first;
    first.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    first.input = make_data(json::object{{"l", json::array{1, 2, 3}}});
    first.time = now_;
    take(start(machine_, first, limits_));
  }

  // Lets `count` things happen, or fewer where it ends before.
  void go_on(std::size_t count) {
    for (std::size_t i = 0; i < count && is_running(); ++i) {
      if (answers_.empty()) {
        ASSERT_FALSE(timers_.empty()) << "it waits for nothing";
        // The execution's own timer is the first; it fires where nothing else is open.
        const std::int64_t timer = *timers_.rbegin();
        timers_.erase(timer);
        report(TimerFired{timer});
        continue;
      }
      const EventBody answer = answers_.front();
      answers_.pop_front();
      if (const auto* task = std::get_if<TaskSucceeded>(&answer)) tasks_.erase(task->task);
      if (const auto* child = std::get_if<ChildEnded>(&answer)) {
        children_.erase({child->branch, child->index});
      }
      report(answer);
    }
  }
  void report(const EventBody& body) {
    now_ += std::chrono::seconds(1);
    take(step(machine_, std::move(state_), {now_, ++seed_, body}, limits_));
  }
  void redrive(const std::string& from) {
    late_ = std::exchange(answers_at_end_, {});
    take(asl::redrive(machine_, std::move(state_),
                      {.state = from,
                       .input = make_data(json::object{{"l", json::array{4, 5}}}),
                       .variables = {},
                       .time = now_,
                       .seed = ++seed_},
                      limits_));
  }
  // What was under way when it ended is told only now: it concerns nobody. Where the step before
  // had more to do any event lets it go on, so that this tells nothing there.
  void report_late_answers() {
    if (!state_.ready.empty()) return;
    for (const EventBody& body : late_) {
      const std::size_t events = history_.size();
      report(body);
      EXPECT_EQ(history_.size(), events);
      EXPECT_TRUE(decisions_.empty());
    }
  }
  void fire_execution_timer() {
    timers_.erase(state_.execution_timer);
    report(TimerFired{state_.execution_timer});
  }
  void limit_history(std::int64_t events) { limits_.history_events = events; }

  [[nodiscard]] bool is_running() const { return state_.status == Status::running; }
  [[nodiscard]] const ExecutionState& state() const { return state_; }
  [[nodiscard]] const std::vector<HistoryEvent>& history() const { return history_; }
  [[nodiscard]] std::int64_t execution_timer() const { return state_.execution_timer; }

  void expect_ended(Status status) {
    ASSERT_EQ(state_.status, status);
    EXPECT_TRUE(timers_.empty());
    EXPECT_TRUE(tasks_.empty());
    EXPECT_TRUE(children_.empty());
    EXPECT_EQ(state_.find(state_.main_branch), nullptr);
    for (std::size_t i = 0; i < history_.size(); ++i) {
      EXPECT_EQ(history_[i].id, static_cast<std::int64_t>(i) + 1);
      EXPECT_LT(history_[i].previous, history_[i].id);
    }
    const HistoryEvent& before = history_[history_.size() - 2];
    const auto* name = before.members.if_contains("name");
    if (before.type == "WaitStateEntered" && name != nullptr && *name == "B") {
      EXPECT_EQ(history_.back().previous, 0);
    } else if (status == Status::aborted) {
      // After something of this life.
      std::int64_t begun = 1;
      for (const HistoryEvent& event : history_) {
        if (event.type == "ExecutionRedriven") begun = event.id;
      }
      EXPECT_GE(history_.back().previous, begun);
    }
    if (!records_->records.empty()) {
      for (const auto& [key, text] : records_->records) {
        EXPECT_FALSE(key.starts_with("branch/")) << key;
      }
    }
  }

 private:
  void take(Step step) {
    state_ = std::move(step.state);
    std::ranges::move(step.history, std::back_inserter(history_));
    decisions_ = std::move(step.decisions);
    for (const Decision& decision : decisions_) std::visit(Carry{*this}, decision);
    if (!is_running() && answers_at_end_.empty()) answers_at_end_ = std::exchange(answers_, {});
    if (!stores_) return;
    records_->apply(state_.take_changes());
    state_ = load_execution(records_);
  }

  struct Carry {
    Host& host;

    void operator()(const ScheduleTask& task) const {
      host.tasks_.insert(task.task);
      host.answers_.emplace_back(TaskStarted{task.task, ""});
      host.answers_.emplace_back(TaskSucceeded{task.task, make_data(1)});
    }
    void operator()(const CancelTask& task) const { host.tasks_.erase(task.task); }
    void operator()(const StartTimer& timer) const { host.timers_.insert(timer.timer); }
    void operator()(const CancelTimer& timer) const { host.timers_.erase(timer.timer); }
    void operator()(const ReadItems& request) const {
      host.answers_.emplace_back(
          ItemsRead{request.branch, make_data(json::array{1, 2, 3}), "S3_OBJECT"});
    }
    void operator()(const StartChild& child) const {
      host.children_.insert({child.branch, child.index});
      host.answers_.emplace_back(
          ChildEnded{child.branch, child.index, Status::succeeded, make_data(child.index), "", ""});
    }
    void operator()(const AbortChildren& abort) const {
      std::erase_if(host.children_, [&](const auto& child) { return child.first == abort.branch; });
    }
    void operator()(const WriteResults& request) const {
      host.answers_.emplace_back(
          ResultsWritten{request.branch, make_data(json::object{{"Bucket", "b"}})});
    }
    void operator()(const Finish& /*decision*/) const {}
    void operator()(const Continue& /*decision*/) const { host.answers_.emplace_back(Resume{}); }
  };

  const StateMachine& machine_;
  const bool stores_;
  StepLimits limits_{.transitions = 2};
  ExecutionState state_;
  std::vector<Decision> decisions_;
  std::vector<HistoryEvent> history_;
  base::Timestamp now_ = base::from_epoch_millis(1'700'000'000'000);
  std::uint64_t seed_ = 0;
  std::set<std::int64_t> timers_;
  std::set<std::int64_t> tasks_;
  std::set<std::pair<std::int64_t, std::int64_t>> children_;
  std::deque<EventBody> answers_;
  std::deque<EventBody> answers_at_end_;
  std::deque<EventBody> late_;
  std::shared_ptr<MemoryRecords> records_ = std::make_shared<MemoryRecords>();
};

constexpr std::string_view kTask =
    R"({"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","TimeoutSeconds":60,)"
    R"("HeartbeatSeconds":9,"End":true})";

std::string flow_of(std::string_view name) {
  return R"("StartAt":")" + std::string(name) + R"(","States":{")" + std::string(name) + R"(":)" +
         std::string(kTask) + "}";
}

// A state F between two others, in a machine that has a time of its own.
std::string machine_with(const std::string& fork) {
  return R"({"TimeoutSeconds":3600,"StartAt":"A","States":{"A":{"Type":"Pass","Next":"F"},)"
         R"("F":{)" +
         fork + R"(,"ResultPath":"$.r","Next":"B"},"B":{"Type":"Wait","Seconds":5,"End":true}}})";
}

std::vector<std::string> machines() {
  const std::string distributed = R"("ProcessorConfig":{"Mode":"DISTRIBUTED",)"
                                  R"("ExecutionType":"STANDARD"},)";
  return {
      machine_with(R"("Type":"Parallel","Branches":[{)" + flow_of("P") + R"(},{"StartAt":"W",)" +
                   R"("States":{"W":{"Type":"Wait","Seconds":3,"Next":"V"},"V":{"Type":"Map",)" +
                   R"("ItemsPath":"$.l","ItemProcessor":{)" + flow_of("T") + R"(},"End":true}}}])"),
      machine_with(R"("Type":"Map","ItemsPath":"$.l","MaxConcurrency":2,"ItemProcessor":{)" +
                   flow_of("T") + "}"),
      machine_with(R"("Type":"Map","ItemsPath":"$.l","MaxConcurrency":2,"ItemProcessor":{)" +
                   distributed + flow_of("T") + "}"),
      machine_with(R"("Type":"Map","MaxConcurrency":2,"ItemReader":{"Resource":)"
                   R"("arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},)"
                   R"("Parameters":{"Bucket":"b","Key":"k"}},"ResultWriter":{"Resource":)"
                   R"("arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b","Prefix":"p"}},)"
                   R"("ItemProcessor":{)" +
                   distributed + flow_of("T") + "}"),
  };
}

// `end` ends the second life, after every number of steps of either.
void for_every_step(const std::function<void(Host&)>& end, Status status) {
  for (const std::string& definition : machines()) {
    const auto machine = StateMachine::parse(definition);
    for (const bool stores : {false, true}) {
      std::size_t pairs = 0;
      for (std::size_t first = 0;; ++first) {
        Host once(machine, stores);
        once.go_on(first);
        if (!once.is_running()) break;
        for (std::size_t second = 0;; ++second) {
          SCOPED_TRACE(definition + " " + std::to_string(first) + " " + std::to_string(second));
          Host host(machine, stores);
          host.go_on(first);
          host.report(Stop{});
          ASSERT_NO_FATAL_FAILURE(host.expect_ended(Status::aborted));
          host.redrive("F");
          host.report_late_answers();
          host.go_on(second);
          if (!host.is_running()) {
            host.expect_ended(Status::succeeded);
            break;
          }
          end(host);
          ASSERT_NO_FATAL_FAILURE(host.expect_ended(status));
          ++pairs;
        }
      }
      EXPECT_GT(pairs, 10);
    }
  }
}

TEST(Redrive, CanBeStoppedAtEveryStepAndLeavesNothingOpen) {
  for_every_step([](Host& host) { host.report(Stop{"E", "c"}); }, Status::aborted);
}

TEST(Redrive, CanTimeOutAtEveryStepAndLeavesNothingOpen) {
  for_every_step(
      [](Host& host) {
        ASSERT_NE(host.execution_timer(), 0);
        host.fire_execution_timer();
      },
      Status::timed_out);
}

TEST(Redrive, EndsAtTheLimitOfItsHistoryAndLeavesNothingOpen) {
  for (const std::string& definition : machines()) {
    const auto machine = StateMachine::parse(definition);
    for (const bool stores : {false, true}) {
      Host host(machine, stores);
      host.go_on(3);
      host.report(Stop{});
      host.limit_history(static_cast<std::int64_t>(host.history().size()) + 6);
      host.redrive("F");
      host.go_on(100);
      host.expect_ended(Status::failed);
      EXPECT_EQ(host.state().error, "States.Runtime");
    }
  }
}

TEST(Redrive, OfRecordsThatLackTheirBranchIsRefusedAsDamaged) {
  const auto machine = StateMachine::parse(machines().front());
  Start first;
  first.input = make_data(json::object{{"l", json::array{1}}});
  Step begun = start(machine, first);
  const auto records = std::make_shared<MemoryRecords>();
  records->apply(begun.state.take_changes());
  records->records.erase("branch/0/");
  try {
    static_cast<void>(step(machine, load_execution(records), {{}, 1, Stop{}}));
    FAIL() << "no error";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
    EXPECT_THAT(error.message(), testing::HasSubstr("branch 0 is missing"));
  }
}

}  // namespace
}  // namespace andon::asl
