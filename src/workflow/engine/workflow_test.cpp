// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <mutex>

#include "base/error/error.hpp"
#include "workflow/observe/status_changes.hpp"
#include "workflow/testing/engine.hpp"

namespace andon::workflow {
namespace {

using testing::ElementsAre;

constexpr std::string_view kPass =
    R"({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 7, "End": true}}})";
constexpr std::string_view kCall =
    R"({"StartAt": "A", "States": {"A": {"Type": "Task",
        "Resource": "arn:aws:states:::test:call", "End": true}}})";
constexpr std::string_view kToken =
    R"({"StartAt": "A", "States": {"A": {"Type": "Task", "HeartbeatSeconds": 60,
        "Resource": "arn:aws:states:::test:call.waitForTaskToken", "End": true}}})";
constexpr std::string_view kWait =
    R"({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": true}}})";

using WorkflowTest = EngineTest;

TEST_F(WorkflowTest, AnExecutionThatWaitsForNothingHasEndedWhenItsStartIsAnswered) {
  const std::string arn = start(machine("m", std::string(kPass)));
  const Execution row = engine->executions().require(arn);
  EXPECT_EQ(row.status, asl::Status::succeeded);
  EXPECT_EQ(row.output, "7");
  EXPECT_THAT(events(arn), ElementsAre("ExecutionStarted", "PassStateEntered", "PassStateExited",
                                       "ExecutionSucceeded"));
}

TEST_F(WorkflowTest, TheSameNameAndInputIsTheSameExecutionWhileItRuns) {
  const std::string arn = machine("m", std::string(kCall));
  const std::string first = start(arn, R"({"a": 1})", "one");
  EXPECT_EQ(start(arn, R"({"a": 1})", "one"), first);
  EXPECT_EQ(refused([&] { start(arn, R"({"a": 2})", "one"); }), "ExecutionAlreadyExists");
  calls->wait_for(0).second.succeeded(1);
  wait_for_end(first);
  EXPECT_EQ(refused([&] { start(arn, R"({"a": 1})", "one"); }), "ExecutionAlreadyExists");
  EXPECT_EQ(calls->count(), 1U);
}

TEST_F(WorkflowTest, ATaskThatACrashCutsShortIsCalledAgainWithTheSameToken) {
  const std::string arn = start(machine("m", std::string(kCall)));
  const std::string token = calls->wait_for(0).first.idempotency_token;
  const TaskReply late = calls->wait_for(0).second;
  restart();
  EXPECT_EQ(calls->wait_for(1).first.idempotency_token, token);
  late.succeeded("from before");  // nobody waits for it any more
  calls->wait_for(1).second.succeeded("after");
  EXPECT_EQ(wait_for_end(arn).output, "\"after\"");
  EXPECT_THAT(events(arn),
              ElementsAre("ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted",
                          "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"));
}

TEST_F(WorkflowTest, AFailedTaskGivesItsErrorAndCause) {
  const std::string arn = start(machine("m", std::string(kCall)));
  calls->wait_for(0).second.failed("Some.Error", "because");
  const Execution row = wait_for_end(arn);
  EXPECT_EQ(row.status, asl::Status::failed);
  EXPECT_EQ(row.error, "Some.Error");
  EXPECT_EQ(row.cause, "because");
}

TEST_F(WorkflowTest, ATokenOutlivesACrashAndIsGoodOnce) {
  const std::string arn = start(machine("m", std::string(kToken)));
  const auto [task, reply] = calls->wait_for(0);
  reply.submitted("accepted");
  wait_until([&] { return events(arn).size() == 5; });
  restart();
  answered([&](auto done) { engine->send_task_heartbeat(task.token, done); });
  answered([&](auto done) { engine->send_task_success(task.token, "{\"ok\": true}", done); });
  EXPECT_EQ(wait_for_end(arn).output, "{\"ok\":true}");
  EXPECT_EQ(calls->count(), 1U);
  EXPECT_EQ(refused([&] {
              answered([&](auto done) { engine->send_task_success(task.token, "1", done); });
            }),
            "TaskTimedOut");
  EXPECT_EQ(refused([&] {
              answered([&](auto done) { engine->send_task_success("unknown", "1", done); });
            }),
            "InvalidToken");
}

TEST_F(WorkflowTest, ATimerThatCameDueMeanwhileFiresAtTheNextStart) {
  const std::string arn = start(machine("m", std::string(kWait)));
  engine.reset();
  clock.advance(std::chrono::seconds(1));
  start_engine();
  EXPECT_EQ(wait_for_end(arn).status, asl::Status::succeeded);
}

TEST_F(WorkflowTest, StoppingCancelsWhatItHasCalled) {
  const std::string arn = start(machine("m", std::string(kCall)));
  const auto [task, reply] = calls->wait_for(0);
  std::promise<base::Timestamp> stopped;
  engine->stop(arn, "E", "C", [&](const base::Timestamp& time, const std::exception_ptr& failure) {
    ASSERT_EQ(failure, nullptr);
    stopped.set_value(time);
  });
  const base::Timestamp time = stopped.get_future().get();
  const Execution row = engine->executions().require(arn);
  EXPECT_EQ(row.status, asl::Status::aborted);
  EXPECT_EQ(row.stopped, time);
  EXPECT_EQ(row.error, "E");
  EXPECT_EQ(calls->wait_for_cancelled(), task.idempotency_token);
}

TEST_F(WorkflowTest, ARedriveIsToldToTheBusAsARunAnew) {
  const std::string arn = start(machine("m", std::string(kCall)));
  calls->wait_for(0).second.failed("E", "C");
  wait_for_end(arn);
  clock.advance(std::chrono::seconds(5));
  const auto redrive = [&](const std::string& token) {
    std::promise<base::Timestamp> redriven;
    engine->redrive(arn, token,
                    [&](const base::Timestamp& time, const std::exception_ptr& failure) {
                      EXPECT_EQ(failure, nullptr);
                      redriven.set_value(time);
                    });
    return redriven.get_future().get();
  };
  const base::Timestamp redriven = redrive("once");
  EXPECT_EQ(redrive("once"), redriven);  // the same request again: no other redrive
  calls->wait_for(1).second.succeeded(1);
  wait_for_end(arn);
  std::vector<std::string> told;
  for (const StatusChange& change : status_changes(*database, 0, 10)) {
    told.push_back(change.status);
    EXPECT_EQ(change.at >= redriven, told.size() >= 3) << change.status;
  }
  EXPECT_THAT(told, ElementsAre("RUNNING", "FAILED", "RUNNING", "SUCCEEDED"));
}

TEST_F(WorkflowTest, DeletingAMachineEndsItsExecutions) {
  const std::string arn = machine("m", std::string(kCall));
  const std::string execution = start(arn);
  engine->delete_machine(arn);
  EXPECT_EQ(wait_for_end(execution).status, asl::Status::aborted);
  wait_until([&] {
    return refused([&] { (void)engine->machines().describe(arn); }) == "StateMachineDoesNotExist";
  });
  EXPECT_EQ(engine->executions().require(execution).status, asl::Status::aborted);
}

TEST_F(WorkflowTest, AWorkerGetsTheTaskOfItsActivity) {
  const Activity activity = engine->activities().create("act", {});
  const std::string definition =
      R"json({"StartAt": "A", "States": {"A": {"Type": "Task", "End": true, "Resource": ")json" +
      activity.arn + "\"}}}";
  const std::string arn = start(machine("m", definition), R"({"q": 1})");
  std::promise<ActivityTask> given;
  engine->activities().poll(activity.arn, "w",
                            [&](const ActivityTask& task) { given.set_value(task); });
  const ActivityTask task = given.get_future().get();
  EXPECT_EQ(task.input, R"({"q":1})");
  answered([&](auto done) { engine->send_task_failure(task.token, "E", std::nullopt, done); });
  EXPECT_EQ(wait_for_end(arn).error, "E");
}

TEST_F(WorkflowTest, AnExpressExecutionLeavesNoRows) {
  const std::string arn = machine("x", std::string(kCall), MachineType::express);
  std::promise<Execution> ended;
  engine->start_sync({arn, "one", "{}", ""},
                     [&](const Execution& row, const std::exception_ptr& failure) {
                       ASSERT_EQ(failure, nullptr);
                       ended.set_value(row);
                     });
  calls->wait_for(0).second.succeeded(5);
  const Execution row = ended.get_future().get();
  EXPECT_EQ(row.output, "5");
  EXPECT_EQ(engine->executions().find(row.arn), std::nullopt);
}

TEST_F(WorkflowTest, ALongHistoryComesInPagesBothWays) {
  constexpr std::string_view kLoop = R"json({"StartAt": "L", "States": {
      "L": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "C"},
      "C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 600,
            "Next": "L"}], "Default": "E"},
      "E": {"Type": "Succeed"}}})json";
  const std::string arn = start(machine("m", std::string(kLoop)), R"({"n": 0})");
  ASSERT_EQ(wait_for_end(arn).status, asl::Status::succeeded);
  const Execution row = engine->executions().require(arn);
  for (const bool reverse : {false, true}) {
    HistoryRequest request{.limit = 333, .reverse = reverse};
    std::vector<std::int64_t> ids;
    while (true) {
      const HistoryPage page = engine->executions().history(row.id, request);
      for (const auto& event : page.events) ids.push_back(event.at("id").to_number<std::int64_t>());
      if (!page.next) break;
      request.after = *page.next;
    }
    ASSERT_EQ(ids.size(), static_cast<std::size_t>(row.last_event));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_EQ(ids[i], static_cast<std::int64_t>(reverse ? ids.size() - i : i + 1));
    }
  }
}

TEST_F(WorkflowTest, ADamagedHistoryIsSaidToBeDamaged) {
  const std::string arn = start(machine("m", std::string(kPass)));
  const std::int64_t id = engine->executions().require(arn).id;
  for (const char* body : {"[{\"id\": \"x\"}]", "[1]", "{}", "[{\"id\": 1"}) {
    database->write([&](store::Transaction& tx) {
      tx.execute("UPDATE execution_events SET body = $1", {std::string(body)});
    });
    try {
      (void)engine->executions().history(id, {.limit = 10});
      ADD_FAILURE() << "it was read: " << body;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted) << body;
    }
  }
}

constexpr std::string_view kHeartbeat =
    R"({"StartAt": "A", "States": {"A": {"Type": "Task", "HeartbeatSeconds": 60,
        "Resource": "arn:aws:states:::test:call.sync", "End": true}}})";

TEST_F(WorkflowTest, ASignOfLifeOfATaskPutsItsHeartbeatOff) {
  const std::string arn = start(machine("m", std::string(kHeartbeat)));
  const std::int64_t id = engine->executions().require(arn).id;
  EXPECT_EQ(calls->wait_for(0).first.heartbeat_seconds, 60);
  const auto due = [&] {
    std::int64_t at = 0;
    database->read([&](store::Transaction& tx) {
      at = tx.query_one("SELECT max(due_ms) FROM timers WHERE execution = $1", {id})->integer(0);
    });
    return at;
  };
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::seconds(50));
    const std::int64_t wanted = base::to_epoch_millis(clock.now()) + 60'000;
    calls->wait_for(0).second.alive();
    wait_until([&] { return due() == wanted; });
  }
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(wait_for_end(arn).error, "States.Timeout");
}

TEST_F(WorkflowTest, AClockThatIsSetBackHoldsNothingUpButWhatWaitsForATime) {
  const std::string waiting = start(machine("w", std::string(kWait)));
  clock.advance(-std::chrono::hours(1));
  const std::string other = start(machine("c", std::string(kCall)));
  calls->wait_for(0).second.succeeded(1);
  EXPECT_EQ(wait_for_end(other).status, asl::Status::succeeded);
  EXPECT_EQ(engine->executions().require(waiting).status, asl::Status::running);
  restart();
  clock.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  EXPECT_EQ(wait_for_end(waiting).status, asl::Status::succeeded);
  EXPECT_THAT(events(waiting), ElementsAre("ExecutionStarted", "WaitStateEntered",
                                           "WaitStateExited", "ExecutionSucceeded"));
}

TEST_F(WorkflowTest, AClockThatIsSetBackAndForthFiresATimerOnce) {
  const std::string arn = start(
      machine("m", R"({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "Next": "B"},
              "B": {"Type": "Task", "Resource": "arn:aws:states:::test:call", "End": true}}})"));
  for (std::size_t i = 0; i < 5; ++i) {
    clock.advance(std::chrono::hours(2));
    calls->wait_for(i);  // from the second on the call is repeated, not the timer
    clock.advance(-std::chrono::hours(3));
    restart();
  }
  calls->wait_for(5).second.succeeded(1);
  EXPECT_EQ(wait_for_end(arn).status, asl::Status::succeeded);
  EXPECT_THAT(events(arn), ElementsAre("ExecutionStarted", "WaitStateEntered", "WaitStateExited",
                                       "TaskStateEntered", "TaskScheduled", "TaskStarted",
                                       "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"));
}

TEST_F(WorkflowTest, ANewExecutionHasANewNumberWhateverTheClockSays) {
  const std::string first = start(machine("m", std::string(kPass)));
  const std::int64_t later = base::to_epoch_millis(clock.now() + std::chrono::hours(9)) << 20U;
  database->write([&](store::Transaction& tx) {
    tx.execute("UPDATE executions SET id = $1 WHERE arn = $2", {later, first});
  });
  restart();
  const std::string second = start(machine("m2", std::string(kPass)));
  EXPECT_GT(engine->executions().require(second).id, later);
}

TEST_F(WorkflowTest, AStepThatCannotBeStoredIsRepeatedUntilItIs) {
  const std::string arn = start(machine("m", std::string(kCall)));
  calls->wait_for(0);
  database->write([](store::Transaction& tx) {
    tx.execute(
        "CREATE TRIGGER full BEFORE INSERT ON execution_events BEGIN SELECT RAISE(ABORT, 'full'); "
        "END");
  });
  calls->wait_for(0).second.succeeded(1);
  // Also where the clock is set back while it waits for its next attempt.
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::seconds(2));
    clock.advance(-std::chrono::hours(1));
  }
  EXPECT_EQ(engine->executions().require(arn).status, asl::Status::running);
  database->write([](store::Transaction& tx) { tx.execute("DROP TRIGGER full"); });
  wait_until([&] {
    clock.advance(std::chrono::milliseconds(10));
    return engine->executions().require(arn).status == asl::Status::succeeded;
  });
  EXPECT_EQ(calls->count(), 1U);
}

TEST_F(WorkflowTest, EventsAreWrittenToTheLogGroupOfTheRevision) {
  std::mutex mutex;
  std::vector<std::string> lines;
  write_log = [&](const Execution&, const std::string& group, const std::string& stream,
                  base::Timestamp time, const std::string& line) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(time, clock.now());
    const json::value parsed = base::parse_json(line, "line");
    lines.push_back(group + " " + stream + " " + std::string(parsed.at("type").as_string()));
  };
  restart();
  NewMachine made;
  made.name = "m";
  made.definition = kPass;
  made.settings.logging = {
      {"level", "ALL"},
      {"includeExecutionData", true},
      {"destinations", {{{"cloudWatchLogsLogGroup", {{"logGroupArn", "arn:g:*"}}}}}}};
  const std::string arn = engine->machines().create(made).arn;
  start(arn);
  const std::string stream = "arn:g:* " + log_stream("m", clock.now()) + " ";
  wait_until([&] {
    const std::lock_guard lock(mutex);
    return lines.size() == 4;
  });
  EXPECT_THAT(lines, ElementsAre(stream + "ExecutionStarted", stream + "PassStateEntered",
                                 stream + "PassStateExited", stream + "ExecutionSucceeded"));
  MachineUpdate quiet;
  quiet.logging = json::object{{"level", "OFF"}, {"includeExecutionData", false}};
  (void)engine->machines().update(arn, quiet);
  wait_for_end(start(arn));
  wait_for_end(start(machine("other", std::string(kPass))));
  engine.reset();
  EXPECT_EQ(lines.size(), 4U);
}

TEST_F(WorkflowTest, WhatExecutionsDoIsCounted) {
  wait_for_end(start(machine("m", std::string(kPass))));
  const std::string waiting = start(machine("w", std::string(kWait)));
  const std::string call = start(machine("c", std::string(kCall)));
  EXPECT_EQ(engine->executions().waiting().running, 2);
  EXPECT_EQ(engine->executions().waiting().timers, 1);
  calls->wait_for(0).second.failed("E", "C");
  wait_for_end(call);
  std::promise<Execution> ended;
  engine->start_sync(
      {machine("x", std::string(kPass), MachineType::express), "", "{}", ""},
      [&](const Execution& row, const std::exception_ptr&) { ended.set_value(row); });
  (void)ended.get_future().get();
  clock.advance(std::chrono::seconds(2));
  wait_for_end(waiting);
  const auto standard = engine->figures().counts(MachineType::standard);
  EXPECT_EQ(standard.started, 3U);
  EXPECT_EQ(standard.succeeded, 2U);
  EXPECT_EQ(standard.failed, 1U);
  EXPECT_EQ(engine->figures().counts(MachineType::express).succeeded, 1U);
  EXPECT_EQ(engine->figures().transitions(), 4U);
  EXPECT_EQ(engine->driver().timers().fired(), 1U);
  EXPECT_EQ(engine->executions().waiting().running, 0);
}

TEST_F(WorkflowTest, WhatHasEndedIsForgottenAfterItsTimeAndWhatRunsIsNot) {
  const std::string machine_arn = machine("m", std::string(kPass));
  const std::string old = start(machine_arn, "{}", "old");
  const std::string running = start(machine("c", std::string(kCall)));
  clock.advance(std::chrono::hours(89 * 24));
  engine->sweep();
  EXPECT_EQ(refused([&] { start(machine_arn, "{}", "old"); }), "ExecutionAlreadyExists");
  clock.advance(std::chrono::hours(2 * 24));
  engine->sweep();
  EXPECT_EQ(engine->executions().find(old), std::nullopt);
  EXPECT_EQ(engine->executions().require(running).status, asl::Status::running);
  for (const char* table : {"execution_events", "execution_state"}) {
    const std::int64_t rows = database->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT count(DISTINCT execution) FROM " + std::string(table))
          ->integer(0);
    });
    EXPECT_EQ(rows, 1) << table;
  }
  EXPECT_EQ(start(machine_arn, "{}", "old"), old);  // the name is free again
}

}  // namespace
}  // namespace andon::workflow
