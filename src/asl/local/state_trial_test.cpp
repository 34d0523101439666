// SPDX-License-Identifier: Apache-2.0
#include "asl/local/state_trial.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::asl {
namespace {

using testing::HasSubstr;
using Status = StateTrialOutcome::Status;

json::value parsed(std::string_view text) {
  return base::parse_json(text, "test");
}

StateTrialRequest request(const std::string& definition, std::string_view input = "{}") {
  StateTrialRequest request;
  request.definition = definition;
  request.start.input = make_data(parsed(input));
  request.start.time = base::from_epoch_millis(1'700'000'000'000);
  return request;
}

// Tasks are answered, timers fire.
StateTrialOutcome run(StateTrialRequest wanted, const EventBody& answer = Resume{}) {
  StateTrial trial(std::move(wanted));
  std::vector<Decision> decisions = trial.begin();
  for (int steps = 0; !trial.has_ended() && steps < 10; ++steps) {
    EventBody body = Resume{};
    for (const Decision& decision : decisions) {
      if (const auto* timer = std::get_if<StartTimer>(&decision)) body = TimerFired{timer->timer};
    }
    for (const Decision& decision : decisions) {
      const auto* task = std::get_if<ScheduleTask>(&decision);
      if (task == nullptr) continue;
      body = answer;
      if (auto* done = std::get_if<TaskSucceeded>(&body)) done->task = task->task;
      if (auto* failed = std::get_if<TaskFailed>(&body)) failed->task = task->task;
    }
    decisions = trial.report({base::from_epoch_millis(1'700'000'000'000), 1, body});
  }
  EXPECT_TRUE(trial.has_ended());
  return trial.outcome();
}

TaskSucceeded success(std::string_view output) {
  return {0, make_data(parsed(output))};
}

std::string seen(const StateTrialOutcome& outcome, std::string_view key) {
  const auto* value = outcome.inspection.if_contains(key);
  if (value == nullptr) return "-";
  return value->is_string() ? std::string(value->get_string()) : base::to_text(*value);
}

constexpr std::string_view kCall = R"("Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage")";

std::string task(const std::string& more) {
  return "{" + std::string(kCall) + "," + more + "}";
}

TEST(StateTrial, ShowsItsDataAtEachStage) {
  const auto outcome = run(
      request(task(R"("InputPath":"$.a","Parameters":{"p.$":"$.b"},"ResultSelector":{"s.$":"$.r"},)"
                   R"("ResultPath":"$.res","OutputPath":"$.res","Assign":{"v":7},"Next":"After")"),
              R"({"a":{"b":1}})"),
      success(R"({"r":2})"));
  EXPECT_EQ(outcome.status, Status::succeeded);
  EXPECT_EQ(outcome.next, "After");
  EXPECT_EQ(base::to_text(*outcome.output), R"({"s":2})");
  EXPECT_EQ(seen(outcome, "input"), R"({"a":{"b":1}})");
  EXPECT_EQ(seen(outcome, "afterInputPath"), R"({"b":1})");
  EXPECT_EQ(seen(outcome, "afterParameters"), R"({"p":1})");
  EXPECT_EQ(seen(outcome, "result"), R"({"r":2})");
  EXPECT_EQ(seen(outcome, "afterResultSelector"), R"({"s":2})");
  EXPECT_EQ(seen(outcome, "afterResultPath"), R"({"a":{"b":1},"res":{"s":2}})");
  EXPECT_EQ(seen(outcome, "variables"), R"({"v":7})");
}

TEST(StateTrial, OfJsonataShowsArgumentsAndNoPaths) {
  StateTrialRequest wanted =
      request(task(R"("QueryLanguage":"JSONata","Arguments":{"x":"{% $states.input.n + $w %}"},)"
                   R"("Output":"{% $states.result.r %}","End":true)"),
              R"({"n":1})");
  wanted.variables.emplace_back("w", make_data(2));
  const auto outcome = run(std::move(wanted), success(R"({"r":5})"));
  EXPECT_EQ(base::to_text(*outcome.output), "5");
  EXPECT_EQ(seen(outcome, "afterArguments"), R"({"x":3})");
  EXPECT_EQ(seen(outcome, "afterInputPath"), "-");
  EXPECT_EQ(seen(outcome, "afterParameters"), "-");
  EXPECT_EQ(seen(outcome, "variables"), R"({"w":2})");
  EXPECT_EQ(outcome.next, "");
}

TEST(StateTrial, GoesNoFurtherThanTheStateWhateverItsKind) {
  const std::vector<std::tuple<std::string, std::string, Status, std::string>> rows = {
      {R"({"Type":"Pass","Result":3,"Next":"N"})", "N", Status::succeeded, "3"},
      {R"({"Type":"Wait","Seconds":9,"Next":"N"})", "N", Status::succeeded, R"({"n":1})"},
      {R"({"Type":"Succeed"})", "", Status::succeeded, R"({"n":1})"},
      {R"({"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":1,"Next":"One"}],)"
       R"("Default":"Other"})",
       "One", Status::succeeded, R"({"n":1})"},
      {R"({"Type":"Fail","Error":"E","Cause":"c"})", "", Status::failed, "E: c"},
      {R"({"Type":"Pass","InputPath":"$.x","End":true})", "", Status::failed, "States.Runtime"},
  };
  for (const auto& [definition, next, status, said] : rows) {
    const auto outcome = run(request(definition, R"({"n":1})"));
    EXPECT_EQ(outcome.status, status) << definition;
    EXPECT_EQ(outcome.next, next) << definition;
    const std::string text = outcome.output != nullptr
                                 ? base::to_text(*outcome.output)
                                 : outcome.error.value_or("") + ": " + outcome.cause.value_or("");
    EXPECT_THAT(text, HasSubstr(said)) << definition;
  }
}

TEST(StateTrial, AnErrorIsRetriedCaughtOrFailsIt) {
  const std::string handlers =
      R"("Retry":[{"ErrorEquals":["X"]},{"ErrorEquals":["E"],"IntervalSeconds":3,)"
      R"("BackoffRate":2,"MaxAttempts":2}],"Catch":[{"ErrorEquals":["Y"],"Next":"A"},)"
      R"({"ErrorEquals":["E"],"ResultPath":"$.e","Next":"B"}],"End":true)";
  const TaskFailed failed{0, "E", "why"};
  StateTrialRequest wanted = request(task(handlers), R"({"n":1})");
  wanted.inspection.retries = 1;
  auto outcome = run(wanted, failed);
  EXPECT_EQ(outcome.status, Status::retriable);
  EXPECT_EQ(outcome.error, "E");
  EXPECT_EQ(seen(outcome, "errorDetails"), R"({"retryIndex":1,"retryBackoffIntervalSeconds":6})");
  EXPECT_EQ(outcome.next, "");
  wanted.inspection.retries = 2;  // as many as there are
  outcome = run(wanted, failed);
  EXPECT_EQ(outcome.status, Status::caught_error);
  EXPECT_EQ(seen(outcome, "errorDetails"), R"({"catchIndex":1})");
  EXPECT_EQ(outcome.next, "B");
  EXPECT_EQ(base::to_text(*outcome.output), R"({"n":1,"e":{"Error":"E","Cause":"why"}})");
  EXPECT_EQ(outcome.error, "E");
  EXPECT_EQ(outcome.cause, "why");
  outcome = run(wanted, TaskFailed{0, "Z", ""});
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_EQ(outcome.error, "Z");
}

TEST(StateTrial, OfAMapShowsItsItemsAndTakesAResultInTheirPlace) {
  const std::string processor =
      R"("ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},)"
      R"("StartAt":"P","States":{"P":{"Type":"Pass","End":true}}})";
  StateTrialRequest wanted = request(
      R"({"Type":"Map","ItemsPath":"$.l","ItemSelector":{"i.$":"$$.Map.Item.Value"},)"
      R"("ItemBatcher":{"MaxItemsPerBatch":2},"MaxConcurrency":4,"ToleratedFailureCount":1,)" +
          processor + R"(,"Next":"N"})",
      R"({"l":[1,2,3]})");
  wanted.inspection.result = make_data(json::array{"x", "y"});
  wanted.inspection.failed_iterations = 1;
  const auto outcome = run(wanted);
  EXPECT_EQ(outcome.status, Status::succeeded) << outcome.cause.value_or("");
  EXPECT_EQ(base::to_text(*outcome.output), R"(["x","y"])");
  EXPECT_EQ(seen(outcome, "afterItemsPath"), "[1,2,3]");
  EXPECT_EQ(seen(outcome, "afterItemSelector"), R"([{"i":1},{"i":2},{"i":3}])");
  EXPECT_EQ(seen(outcome, "afterItemBatcher"),
            R"([{"Items":[{"i":1},{"i":2}]},{"Items":[{"i":3}]}])");
  EXPECT_EQ(seen(outcome, "maxConcurrency"), "4");
  EXPECT_EQ(seen(outcome, "toleratedFailureCount"), "1");
  wanted.inspection.failed_iterations = 2;
  EXPECT_EQ(run(wanted).error, "States.ExceedToleratedFailureThreshold");
}

TEST(StateTrial, OfAParallelTakesAnErrorInItsPlace) {
  const std::string branch = R"({"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}})";
  StateTrialRequest wanted =
      request(R"({"Type":"Parallel","Branches":[)" + branch +
              R"(],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],)" + R"("End":true})");
  wanted.inspection.failure = Failure("E", "c");
  EXPECT_EQ(run(wanted).next, "C");
  wanted.inspection.failure.reset();
  wanted.inspection.result = make_data(json::array{1});
  EXPECT_EQ(base::to_text(*run(wanted).output), "[1]");
}

TEST(StateTrial, FindsAStateByNameAlsoWithinAMapAndSeesTheContextThatIsGiven) {
  const std::string machine =
      R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"T",)"
      R"("States":{"T":{)" +
      std::string(kCall) + R"(,"Parameters":{"n.$":"$$.Execution.Name"},"Next":"U"},)" +
      R"("U":{"Type":"Pass","End":true}}}}}})";
  StateTrialRequest wanted = request(machine);
  wanted.state_name = "T";
  wanted.inspection.context = parsed(R"({"Execution":{"Name":"given"}})").get_object();
  const auto outcome = run(wanted, success("1"));
  EXPECT_EQ(outcome.next, "U");
  EXPECT_EQ(seen(outcome, "afterParameters"), R"({"n":"given"})");
  wanted.state_name = "Z";
  EXPECT_THROW(StateTrial{wanted}, base::Error);
}

TEST(StateTrial, RefusesADefinitionThatIsWrong) {
  for (const char* definition : {"", "[]", "{", R"({"Type":"Pass"})", R"({"Type":"Nope"})"}) {
    EXPECT_THROW(StateTrial{request(definition)}, base::Error) << definition;
  }
}

}  // namespace
}  // namespace andon::asl
