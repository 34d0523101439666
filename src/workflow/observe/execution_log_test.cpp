// SPDX-License-Identifier: Apache-2.0
#include "workflow/observe/execution_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::workflow {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ExecutionLogTest, LevelsChooseByWhatTheEventsSay) {
  const struct {
    const char* type;
    LogLevel least;  // all: not at the others
  } cases[] = {{"ExecutionFailed", LogLevel::fatal},      {"ExecutionAborted", LogLevel::fatal},
               {"ExecutionTimedOut", LogLevel::fatal},    {"FailStateEntered", LogLevel::error},
               {"TaskFailed", LogLevel::error},           {"TaskTimedOut", LogLevel::error},
               {"LambdaFunctionFailed", LogLevel::error}, {"MapIterationAborted", LogLevel::error},
               {"EvaluationFailed", LogLevel::error},     {"ExecutionStarted", LogLevel::all},
               {"ExecutionSucceeded", LogLevel::all},     {"TaskStateEntered", LogLevel::all}};
  for (const auto& one : cases) {
    for (const LogLevel level : {LogLevel::off, LogLevel::fatal, LogLevel::error, LogLevel::all}) {
      EXPECT_EQ(is_logged(one.type, level), level >= one.least) << one.type;
    }
  }
  EXPECT_EQ(log_level("ALL"), LogLevel::all);
  EXPECT_EQ(log_level("FATAL"), LogLevel::fatal);
  EXPECT_EQ(log_level("OFF"), LogLevel::off);
}

asl::HistoryEvent entered(json::value input) {
  asl::HistoryEvent event{.id = 4,
                          .previous = 3,
                          .time = base::from_epoch_millis(1'795'343'912'123),
                          .type = "TaskStateEntered",
                          .details = "stateEnteredEventDetails",
                          .members = {{"name", "Ship"}}};
  event.texts.emplace_back("input", asl::make_data(std::move(input)));
  return event;
}

TEST(ExecutionLogTest, ALineHasWhatStepFunctionsWrites) {
  Execution execution;
  execution.arn = "arn:x";
  execution.redrive_count = 2;
  EXPECT_EQ(log_line(execution, entered({{"a", 1}}), true),
            R"({"id":"4","type":"TaskStateEntered","details":{"name":"Ship","input":"{\"a\":1}",)"
            R"("inputDetails":{"truncated":false}},"previous_event_id":"3",)"
            R"("event_timestamp":"1795343912123","execution_arn":"arn:x","redrive_count":"2"})");
  EXPECT_EQ(log_line(execution, entered({{"a", 1}}), false),
            R"({"id":"4","type":"TaskStateEntered","details":{"name":"Ship"},)"
            R"("previous_event_id":"3","event_timestamp":"1795343912123",)"
            R"("execution_arn":"arn:x","redrive_count":"2"})");
  EXPECT_EQ(log_stream("ship", base::from_epoch_millis(1'795'343'912'123)),
            "states/ship/2026-11-22");
}

TEST(ExecutionLogTest, DataThatNoLineTakesIsLeftOutAndSaidSo) {
  // Each byte of it takes six in JSON's text, twice.
  const std::string line = log_line({}, entered(json::string(200'000, '\x01')), true);
  EXPECT_LT(line.size(), 1000U);
  EXPECT_THAT(line, HasSubstr(R"("inputDetails":{"truncated":true})"));
  EXPECT_THAT(line, Not(HasSubstr(R"("input":)")));
}

}  // namespace
}  // namespace andon::workflow
