// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/step.hpp"

#include <gmock/gmock.h>

#include "asl/data/failure.hpp"
#include "asl/local/local_run.hpp"
#include "asl/testing/memory_records.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kLambda = "arn:aws:lambda:us-east-1:000000000000:function:f";

LocalRunOptions options_for(std::string_view input) {
  LocalRunOptions options;
  options.start.arn = "arn:aws:states:us-east-1:000000000000:execution:m:e";
  options.start.name = "e";
  options.start.machine_name = "m";
  options.start.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
  options.start.input = make_data(base::parse_json(input, "input"));
  options.start.time = base::from_epoch_millis(1'700'000'000'000);
  options.start.seed = 7;
  return options;
}

LocalRun run(const std::string& definition, std::string_view input = "{}",
             std::string_view mock = "{}") {
  const auto machine = StateMachine::parse(definition);
  auto answers = MockAnswers::parse(mock);
  return run_locally(machine, answers, options_for(input));
}

// The output, or "ERROR: cause" of a failed run.
std::string outcome(const LocalRun& run) {
  if (run.status == Status::succeeded) return base::to_text(*run.output);
  return run.error.value_or(std::string(to_string(run.status))) + ": " + run.cause.value_or("");
}

std::string with_end(const std::string& members) {
  return R"({"StartAt":"X","States":{"X":{)" + members + R"(,"End":true}}})";
}

std::vector<std::string> types(const LocalRun& run) {
  std::vector<std::string> names;
  for (const HistoryEvent& event : run.history) names.push_back(event.type);
  return names;
}

struct Row {
  std::string state;  // members of state X
  std::string input;
  std::string expected;  // the output, or a part of "ERROR: cause"
};

TEST(Step, MovesDataThroughAPassAsTheTableSays) {
  const std::vector<Row> rows = {
      {R"("Type":"Pass")", R"({"a":1})", R"({"a":1})"},
      {R"("Type":"Pass","Result":{"b.$":"$.a"})", R"({"a":1})", R"({"b.$":"$.a"})"},
      {R"("Type":"Pass","InputPath":"$.a")", R"({"a":{"b":2}})", R"({"b":2})"},
      {R"("Type":"Pass","InputPath":null)", R"({"a":1})", "{}"},
      {R"("Type":"Pass","OutputPath":null)", R"({"a":1})", "{}"},
      {R"("Type":"Pass","OutputPath":"$.a")", R"({"a":1})", "1"},
      {R"("Type":"Pass","Result":5,"ResultPath":"$.r.s")", R"({"a":1})", R"({"a":1,"r":{"s":5}})"},
      {R"("Type":"Pass","Result":5,"ResultPath":null)", R"({"a":1})", R"({"a":1})"},
      {R"~("Type":"Pass","Parameters":{"x.$":"$.a","n":[{"y.$":"States.MathAdd($.a, 1)"}],"s.$":"$$.State.Name"})~",
       R"({"a":1})", R"({"x":1,"n":[{"y":2}],"s":"X"})"},
      {R"("Type":"Pass","Parameters":{"e.$":"$$.Execution.Input.a","i.$":"$$.Execution.Name"})",
       R"({"a":1})", R"({"e":1,"i":"e"})"},
      {R"("Type":"Pass","Parameters":{"value.$":"$.x"})", "{}",
       "States.Runtime: An error occurred while executing the state 'X' (entered at the event id "
       "#2). The JSONPath '$.x' specified for the field 'value.$' could not be found in the input "
       "'{}'"},
      {R"("Type":"Pass","InputPath":"$.X")", "{}",
       "States.Runtime: An error occurred while executing the state 'X' (entered at the event id "
       "#2). Invalid path '$.X' : No results for path: $['X']"},
      {R"("Type":"Pass","Result":1,"ResultPath":"$.a[0]")", R"({"a":[]})",
       "States.ResultPathMatchFailure"},
      {R"~("Type":"Pass","Parameters":{"v.$":"States.StringToJson('{')"})~", "{}",
       "States.IntrinsicFailure"},
      {R"("Type":"Pass","QueryLanguage":"JSONata","Output":{"v":"{% $states.input.a * 2 %}","k":"{% $states.context.State.Name %}"})",
       R"({"a":4})", R"({"v":8,"k":"X"})"},
      {R"("Type":"Pass","QueryLanguage":"JSONata","Output":{"result":"{% $doesNotExist %}"})", "{}",
       "States.QueryEvaluationError: An error occurred while executing the state 'X' (entered at "
       "the event id #2). The JSONata expression '$doesNotExist' specified for the field "
       "'Output/result' returned nothing (undefined)."},
      {R"("Type":"Pass","QueryLanguage":"JSONata","Output":"{% $nope(1) %}")", "{}",
       "threw an error during evaluation. T1006: Attempted to invoke a non-function"},
      {R"("Type":"Pass","QueryLanguage":"JSONata","Output":" {% 1 %} ")", "{}", R"(" {% 1 %} ")"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(outcome(run(with_end(row.state), row.input)), HasSubstr(row.expected)) << row.state;
  }
}

TEST(Step, ChoosesByEveryOperator) {
  const std::vector<std::pair<std::string, bool>> rows = {
      {R"("Variable":"$.s","StringEquals":"b")", true},
      {R"("Variable":"$.s","StringEqualsPath":"$.t")", false},
      {R"("Variable":"$.s","StringLessThan":"c")", true},
      {R"("Variable":"$.s","StringLessThanPath":"$.t")", true},
      {R"("Variable":"$.s","StringGreaterThan":"a")", true},
      {R"("Variable":"$.t","StringGreaterThanPath":"$.s")", true},
      {R"("Variable":"$.s","StringLessThanEquals":"b")", true},
      {R"("Variable":"$.s","StringGreaterThanEquals":"c")", false},
      {R"("Variable":"$.n","NumericEquals":2)", true},
      {R"("Variable":"$.n","NumericEquals":2.0)", true},
      {R"("Variable":"$.n","NumericEqualsPath":"$.m")", false},
      {R"("Variable":"$.n","NumericLessThan":2)", false},
      {R"("Variable":"$.n","NumericLessThanPath":"$.m")", true},
      {R"("Variable":"$.m","NumericGreaterThanPath":"$.n")", true},
      {R"("Variable":"$.n","NumericLessThanEquals":2)", true},
      {R"("Variable":"$.n","NumericGreaterThanEquals":3)", false},
      {R"("Variable":"$.s","NumericEquals":2)", false},
      {R"("Variable":"$.b","BooleanEquals":true)", true},
      {R"("Variable":"$.b","BooleanEqualsPath":"$.b")", true},
      {R"("Variable":"$.d","TimestampEquals":"2020-01-01T02:00:00+02:00")", true},
      {R"("Variable":"$.d","TimestampLessThan":"2020-01-01T00:00:01Z")", true},
      {R"("Variable":"$.d","TimestampGreaterThanPath":"$.d")", false},
      {R"("Variable":"$.d","TimestampGreaterThanEqualsPath":"$.d")", true},
      {R"("Variable":"$.d","TimestampLessThanEquals":"2019-01-01T00:00:00Z")", false},
      {R"("Variable":"$.f","StringMatches":"log-*.txt")", true},
      {R"("Variable":"$.f","StringMatches":"log-\\*.txt")", false},
      {R"("Variable":"$.z","IsNull":true)", true},
      {R"("Variable":"$.z","IsPresent":true)", true},
      {R"("Variable":"$.no","IsPresent":false)", true},
      {R"("Variable":"$.n","IsNumeric":true)", true},
      {R"("Variable":"$.s","IsString":true)", true},
      {R"("Variable":"$.b","IsBoolean":true)", true},
      {R"("Variable":"$.d","IsTimestamp":true)", true},
      {R"("Variable":"$.s","IsTimestamp":false)", true},
      {R"("And":[{"Variable":"$.n","NumericEquals":2},{"Not":{"Variable":"$.b","BooleanEquals":false}}])",
       true},
      {R"("Or":[{"Variable":"$.n","NumericEquals":9},{"Variable":"$.b","BooleanEquals":false}])",
       false},
  };
  for (const auto& [rule, expected] : rows) {
    const LocalRun result = run(
        R"({"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{)" + rule +
            R"(,"Next":"Yes"}],"Default":"No"},"Yes":{"Type":"Pass","Result":true,"End":true},
            "No":{"Type":"Pass","Result":false,"End":true}}})",
        R"({"s":"b","t":"c","n":2,"m":3,"b":true,"d":"2020-01-01T00:00:00Z","f":"log-1.txt","z":null})");
    EXPECT_EQ(outcome(result), expected ? "true" : "false") << rule;
  }
}

TEST(Step, FailsAChoiceThatHasNoWayOn) {
  const std::string machine =
      R"({"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":1,
      "Next":"S"}]},"S":{"Type":"Succeed"}}})";
  EXPECT_THAT(outcome(run(machine, R"({"a":2})")), HasSubstr("States.NoChoiceMatched"));
  EXPECT_THAT(outcome(run(machine, "{}")), HasSubstr("States.Runtime"));
}

std::string task(const std::string& more) {
  return R"({"StartAt":"T","States":{"T":{"Type":"Task","Resource":")" + std::string(kLambda) +
         R"(")" + (more.empty() ? "" : "," + more) + R"(,"Next":"S"},"S":{"Type":"Succeed"})" +
         (more.find("\"Catch\"") == std::string::npos ? "" : R"(,"H":{"Type":"Pass","End":true})") +
         "}}";
}

TEST(Step, RunsATaskAndTellsItsHistory) {
  const LocalRun result = run(task(R"("ResultSelector":{"v.$":"$.x"},"ResultPath":"$.r")"),
                              R"({"a":1})", R"({"T":{"result":{"x":5,"y":6}}})");
  EXPECT_EQ(outcome(result), R"({"a":1,"r":{"v":5}})");
  EXPECT_THAT(types(result),
              ElementsAre("ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled",
                          "LambdaFunctionStarted", "LambdaFunctionSucceeded", "TaskStateExited",
                          "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded"));
  EXPECT_EQ(result.history[1].previous, 0);
  EXPECT_EQ(result.history[2].previous, 2);
  const auto exited = to_json(result.history[5]);
  EXPECT_EQ(exited.at("stateExitedEventDetails").at("output"),
            json::value(R"({"a":1,"r":{"v":5}})"));
}

TEST(Step, RetriesWithBackoffAndThenGivesUp) {
  const std::string retry =
      R"("Retry":[{"ErrorEquals":["E"],"IntervalSeconds":2,"MaxAttempts":3,"BackoffRate":3,"MaxDelaySeconds":10}])";
  const LocalRun good =
      run(task(retry), "{}", R"({"T":[{"error":"E"},{"error":"E"},{"error":"E"},{"result":1}]})");
  EXPECT_EQ(outcome(good), "1");
  // 2 s, 6 s, and 18 s cut to 10 s.
  EXPECT_EQ(good.history.back().time - good.history.front().time, std::chrono::seconds(18));
  EXPECT_EQ(outcome(run(
                task(retry), "{}",
                R"({"T":[{"error":"E"},{"error":"E"},{"error":"E"},{"error":"E","cause":"c"}]})")),
            "E: c");
  EXPECT_EQ(outcome(run(task(retry), "{}", R"({"T":[{"error":"Other","cause":"c"}]})")),
            "Other: c");
}

TEST(Step, CatchesWhatTheNamesMatch) {
  const auto caught = [](const std::string& names, const std::string& error) {
    const std::string machine =
        task(R"("Catch":[{"ErrorEquals":[)" + names + R"(],"Next":"H","ResultPath":"$.e"}])");
    return run(machine, "{}", R"({"T":{"error":")" + error + R"(","cause":"c"}})").status ==
           Status::succeeded;
  };
  EXPECT_TRUE(caught(R"("E")", "E"));
  EXPECT_FALSE(caught(R"("F")", "E"));
  EXPECT_TRUE(caught(R"("States.ALL")", "E"));
  EXPECT_TRUE(caught(R"("States.TaskFailed")", "E"));
  EXPECT_FALSE(caught(R"("States.TaskFailed")", "States.Timeout"));
  EXPECT_TRUE(caught(R"("States.ALL")", "States.Timeout"));
  EXPECT_TRUE(caught(R"("States.Timeout")", "States.HeartbeatTimeout"));
  EXPECT_FALSE(caught(R"("States.ALL")", "States.Runtime"));
  const LocalRun result =
      run(task(R"("Catch":[{"ErrorEquals":["E"],"Next":"H","ResultPath":"$.e"}])"), R"({"a":1})",
          R"({"T":{"error":"E","cause":"c"}})");
  EXPECT_EQ(outcome(result), R"({"a":1,"e":{"Error":"E","Cause":"c"}})");
}

TEST(Step, EndsATaskThatTakesTooLong) {
  const LocalRun timeout =
      run(task(R"("TimeoutSeconds":30)"), "{}", R"({"T":{"error":"States.Timeout"}})");
  EXPECT_EQ(outcome(timeout), "States.Timeout: ");
  EXPECT_THAT(types(timeout), testing::Contains("LambdaFunctionTimedOut"));
  const LocalRun heartbeat = run(
      task(
          R"("TimeoutSeconds":30,"HeartbeatSeconds":10,"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"Next":"H"}])"),
      "{}", R"({"T":{"error":"States.Timeout"}})");
  EXPECT_EQ(heartbeat.status, Status::succeeded);
}

TEST(Step, EndsAnExecutionThatTakesTooLong) {
  const LocalRun result = run(
      R"({"TimeoutSeconds":5,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"End":true}}})");
  EXPECT_EQ(result.status, Status::timed_out);
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.history.back().type, "ExecutionTimedOut");
}

TEST(Step, WaitsAsItIsTold) {
  const auto waited = [](const std::string& setting, std::string_view input) {
    const LocalRun result = run(with_end(R"("Type":"Wait",)" + setting), input);
    return result.status == Status::succeeded
               ? std::chrono::duration_cast<std::chrono::seconds>(result.history.back().time -
                                                                  result.history.front().time)
                     .count()
               : -1;
  };
  EXPECT_EQ(waited(R"("Seconds":10)", "{}"), 10);
  EXPECT_EQ(waited(R"("SecondsPath":"$.s")", R"({"s":7})"), 7);
  EXPECT_EQ(waited(R"("TimestampPath":"$.t")", R"({"t":"2023-11-14T22:14:20Z"})"), 60);
  EXPECT_EQ(waited(R"("QueryLanguage":"JSONata","Seconds":"{% $states.input.s %}")", R"({"s":3})"),
            3);
  EXPECT_EQ(waited(R"("SecondsPath":"$.s")", R"({"s":"x"})"), -1);
  EXPECT_EQ(waited(R"("SecondsPath":"$.s")", R"({"s":-1})"), -1);
}

TEST(Step, FailsWithTheErrorAndCauseGiven) {
  const auto fail = [](const std::string& members, std::string_view input) {
    return outcome(run(R"({"StartAt":"F","States":{"F":{"Type":"Fail")" + members + "}}}", input));
  };
  EXPECT_EQ(fail(R"(,"Error":"E","Cause":"C")", "{}"), "E: C");
  EXPECT_EQ(fail("", "{}"), "FAILED: ");
  EXPECT_EQ(fail(R"~(,"ErrorPath":"$.e","CausePath":"States.Format('no {}', $.c)")~",
                 R"({"e":"Bad","c":3})"),
            "Bad: no 3");
}

constexpr std::string_view kParallel =
    R"({"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,
  "Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","Result":1,"End":true}}},
  {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}}}],
  "Catch":[{"ErrorEquals":["E"],"Next":"H"}]},"H":{"Type":"Pass","End":true}}})";

TEST(Step, JoinsBranchesInOrder) {
  EXPECT_EQ(outcome(run(std::string(kParallel), "{}", R"({"T":{"result":2}})")), "[1,2]");
  EXPECT_EQ(outcome(run(std::string(kParallel), "{}", R"({"T":{"error":"E","cause":"c"}})")),
            R"({"Error":"E","Cause":"c"})");
  EXPECT_EQ(outcome(run(std::string(kParallel), "{}", R"({"T":{"error":"F","cause":"c"}})")),
            "F: c");
}

TEST(Step, RunsAMapOverItsItems) {
  const auto map = [](const std::string& more) {
    return R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true)" + more +
           R"(,"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}}}})";
  };
  EXPECT_EQ(outcome(run(map(""), "[1,2,3]")), "[1,2,3]");
  EXPECT_EQ(outcome(run(map(""), "[]")), "[]");
  EXPECT_EQ(
      outcome(run(
          map(R"(,"ItemsPath":"$.l","MaxConcurrency":1,"ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value","a.$":"$.a"})"),
          R"({"l":["x","y"],"a":9})")),
      R"([{"i":0,"v":"x","a":9},{"i":1,"v":"y","a":9}])");
  EXPECT_THAT(outcome(run(map(R"(,"ItemsPath":"$.l")"), R"({"l":1})")),
              HasSubstr("Reference path \"$.l\" must point to array."));
  EXPECT_EQ(
      outcome(run(
          map(R"(,"QueryLanguage":"JSONata","Items":"{% [1..3] %}","ItemSelector":{"v":"{% $states.context.Map.Item.Value * 2 %}"})"),
          "{}")),
      R"([{"v":2},{"v":4},{"v":6}])");
  EXPECT_THAT(outcome(run(map(R"(,"QueryLanguage":"JSONata","Items":"{% 1 %}")"), "{}")),
              HasSubstr("Expected 'array', but was 'number' for value: 1"));
}

TEST(Step, FailsAMapWithItsFirstFailingItem) {
  const LocalRun result = run(
      R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"MaxConcurrency":1,"ItemProcessor":{"StartAt":"T",
      "States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}}}}}})",
      "[1,2,3]", R"({"T":[{"result":1},{"error":"E","cause":"c"}]})");
  EXPECT_EQ(outcome(result), "E: c");
  EXPECT_THAT(types(result), testing::IsSupersetOf({"MapIterationFailed", "MapStateFailed"}));
}

TEST(Step, RunsADistributedMap) {
  const auto machine = [](const std::string& more) {
    return R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,)" + more +
           R"("ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"T",
           "States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}}}}}})";
  };
  const std::string answers = R"({"T":[{"result":1},{"error":"E"},{"result":3}],
    "M/ItemReader":{"result":[{"k":1},{"k":2},{"k":3},{"k":4}]},
    "M/ResultWriter":{"result":{"Bucket":"b","Key":"k"}}})";
  EXPECT_EQ(outcome(run(machine(""), "[1,2,3]", R"({"T":{"result":7}})")), "[7,7,7]");
  EXPECT_THAT(outcome(run(machine(""), "[1,2,3]", answers)),
              HasSubstr("States.ExceedToleratedFailureThreshold"));
  EXPECT_EQ(outcome(run(machine(R"("ToleratedFailureCount":1,)"), "[1,2,3]", answers)), "[1,3]");
  const LocalRun read = run(
      machine(
          R"("ToleratedFailurePercentage":50,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","MaxItems":3},"Parameters":{"Bucket":"b","Key":"k"}},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},)"),
      "{}", answers);
  EXPECT_THAT(outcome(read), HasSubstr(R"("ResultWriterDetails":{"Bucket":"b","Key":"k"})"));
  EXPECT_THAT(types(read), testing::IsSupersetOf({"MapRunStarted", "MapRunSucceeded"}));
  EXPECT_EQ(outcome(run(machine(R"("ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"x":1}},)"),
                        "[1,2,3]", R"({"T":{"result":0}})")),
            "[0,0]");
}

TEST(Step, AssignsVariables) {
  EXPECT_EQ(
      outcome(run(
          R"({"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"x.$":"$.a","y":2},"Next":"B"},
                "B":{"Type":"Pass","Assign":{"x":9,"z.$":"$x"},"Parameters":{"was.$":"$x"},"Next":"C"},
                "C":{"Type":"Pass","Parameters":{"x.$":"$x","y.$":"$y","z.$":"$z","w.$":"$.was"},"End":true}}})",
          R"({"a":1})")),
      R"({"x":9,"y":2,"z":1,"w":1})");
  // Inner branches read outer variables; what they assign is gone at their end.
  EXPECT_EQ(
      outcome(run(
          R"({"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"x":"{% 5 %}"},"Next":"M"},
                "M":{"Type":"Map","Items":"{% [1,2] %}","ItemProcessor":{"StartAt":"I","States":{
                "I":{"Type":"Pass","Assign":{"inner":"{% $states.input %}"},"Next":"J"},
                "J":{"Type":"Pass","Output":"{% $x + $inner %}","End":true}}},"Next":"E"},
                "E":{"Type":"Pass","Output":"{% $exists($inner) %}","End":true}}})")),
      "false");
}

TEST(Step, SaysWhichMockAnswerIsMissing) {
  try {
    (void)run(task(""), "{}", "{}");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("no answer for state 'T', attempt 0"));
  }
}

TEST(Step, BoundsDataAndHistory) {
  const std::string big(300'000, 'x');
  EXPECT_THAT(outcome(run(task(""), "{}", R"({"T":{"result":")" + big + R"("}})")),
              HasSubstr("returned a result with a size exceeding the maximum number of bytes"));
  EXPECT_THAT(outcome(run(R"({"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},
              "B":{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":1,"Next":"S"}],"Default":"A"},
              "S":{"Type":"Succeed"}}})",
                          R"({"a":2})")),
              HasSubstr("The execution reached the maximum number of history events (25000)."));
}

TEST(Step, CountsTheBytesOfAResult) {
  const auto of_size = [](std::size_t size) {
    return run(task(R"("ResultPath":null)"), "{}",
               R"({"T":{"result":")" + std::string(size, 'x') + R"("}})");
  };
  EXPECT_EQ(outcome(of_size(kMaxDataBytes - 2)), "{}");
  EXPECT_EQ(outcome(of_size(kMaxDataBytes - 1)),
            "States.DataLimitExceeded: The state/task '" + std::string(kLambda) +
                "' returned a result with a size exceeding the maximum number of bytes service "
                "limit.");
}

TEST(Step, BoundsTheNestingOfData) {
  EXPECT_THAT(outcome(run(R"({"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$"},
              "Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,
              "Next":"S"}],"Default":"A"},"S":{"Type":"Succeed"}}})")),
              HasSubstr("States.DataLimitExceeded: The data is nested deeper than 1000 levels."));
}

TEST(Step, RefusesAnInputBeyondTheLimit) {
  const std::string ten_megabytes = '"' + std::string(10U << 20U, 'x') + '"';
  EXPECT_THROW((void)run(with_end(R"("Type":"Pass")"), ten_megabytes), base::Error);
}

TEST(Step, LooksAtTenMegabytesWhereTheLimitAllowsIt) {
  LocalRunOptions options = options_for("{}");
  options.start.input = make_data(json::object{{"a", std::string(10U << 20U, 'x')}, {"n", 1}});
  options.limits.data_bytes = std::size_t{64} << 20U;
  const auto machine = StateMachine::parse(with_end(
      R"~("Type":"Pass","QueryLanguage":"JSONata","Output":"{% $length($states.input.a) %}")~"));
  MockAnswers none;
  EXPECT_EQ(outcome(run_locally(machine, none, options)), std::to_string(10U << 20U));
}

TEST(Step, HangsTheEventsOfAMapOnEachOtherAsAwsDoes) {
  const LocalRun result = run(
      R"({"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"End":true,
      "ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}}}})",
      "[1,2]");
  std::vector<std::pair<std::string, std::int64_t>> events;
  for (const HistoryEvent& event : result.history) events.emplace_back(event.type, event.previous);
  EXPECT_THAT(
      events,
      ElementsAre(testing::Pair("ExecutionStarted", 0), testing::Pair("MapStateEntered", 0),
                  testing::Pair("MapStateStarted", 2), testing::Pair("MapIterationStarted", 3),
                  testing::Pair("PassStateEntered", 4), testing::Pair("PassStateExited", 5),
                  testing::Pair("MapIterationSucceeded", 6),
                  testing::Pair("MapIterationStarted", 6), testing::Pair("PassStateEntered", 8),
                  testing::Pair("PassStateExited", 9), testing::Pair("MapIterationSucceeded", 10),
                  testing::Pair("MapStateSucceeded", 11), testing::Pair("MapStateExited", 11),
                  testing::Pair("ExecutionSucceeded", 13)));
}

TEST(Step, EndsTheSameWhenItsStateIsStoredAndRestoredAtEveryStep) {
  const std::vector<std::array<std::string, 3>> cases = {
      {std::string(kParallel), "{}", R"({"T":{"result":2}})"},
      {std::string(kParallel), "{}", R"({"T":{"error":"E","cause":"c"}})"},
      {task(R"("Retry":[{"ErrorEquals":["E"],"JitterStrategy":"FULL"}],"Assign":{"v.$":"$"})"),
       "{}", R"({"T":[{"error":"E"},{"error":"E"},{"result":{"a":1}}]})"},
      {R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemSelector":{"v.$":"$$.Map.Item.Value"},
       "MaxConcurrency":2,"ItemProcessor":{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"Next":"T"},
       "T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}}}}}})",
       "[1,2,3,4,5]", R"({"T":{"result":{"ok":true}}})"},
  };
  for (const auto& [definition, input, mock] : cases) {
    const auto machine = StateMachine::parse(definition);
    LocalRunOptions options = options_for(input);
    options.limits.transitions = 1;
    auto answers = MockAnswers::parse(mock);
    const LocalRun plain = run_locally(machine, answers, options);
    for (const auto mode : {StoreBetweenSteps::Mode::warm, StoreBetweenSteps::Mode::cold}) {
      auto again = MockAnswers::parse(mock);
      options.between = StoreBetweenSteps(mode);
      const LocalRun stored = run_locally(machine, again, options);
      EXPECT_EQ(outcome(plain), outcome(stored));
      ASSERT_EQ(plain.history.size(), stored.history.size());
      for (std::size_t i = 0; i < plain.history.size(); ++i) {
        EXPECT_EQ(to_json(plain.history[i]), to_json(stored.history[i]));
      }
    }
  }
}

TEST(Step, NeverCopiesTheInputOfAMapForItsItems) {
  json::array list(100'000, json::value("item"));
  LocalRunOptions options = options_for("{}");
  options.start.input = make_data(json::object{{"l", std::move(list)}});
  options.limits.data_bytes = std::size_t{100} << 20U;
  options.limits.history_events = 10'000'000;
  const auto machine = StateMachine::parse(
      R"({"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.l","ResultPath":null,"End":true,
      "ItemSelector":{"v.$":"$$.Map.Item.Value"},"ItemProcessor":{"StartAt":"A","States":{
      "A":{"Type":"Pass","End":true}}}}}})");
  MockAnswers none;
  const LocalRun result = run_locally(machine, none, options);
  EXPECT_EQ(result.status, Status::succeeded);
  EXPECT_EQ(result.output.get(), options.start.input.get());
}

}  // namespace
}  // namespace andon::asl
