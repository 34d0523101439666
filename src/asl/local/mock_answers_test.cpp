// SPDX-License-Identifier: Apache-2.0
#include "asl/local/mock_answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::asl {
namespace {

using testing::HasSubstr;

// As the documentation of Step Functions Local describes it.
constexpr std::string_view kMockConfig = R"({
  "StateMachines": {
    "Notify": {"TestCases": {
      "Happy": {"Call": "Fine", "Send": "Sent"},
      "Retries": {"Call": "SlowAtFirst", "Send": "Sent"}}},
    "Other": {"TestCases": {"Happy": {"Call": "Fine"}}}},
  "MockedResponses": {
    "Fine": {"0": {"Return": {"StatusCode": 200}}},
    "Sent": {"0": {"Return": "id-1"}},
    "SlowAtFirst": {
      "0": {"Throw": {"Error": "Lambda.ResourceNotReadyException", "Cause": "not ready"}},
      "1-2": {"Throw": {"Error": "Lambda.TimeoutException"}},
      "3": {"Return": {"StatusCode": 200}}}}})";

std::string problem_of(std::string_view text, std::string_view test_case = {}) {
  try {
    (void)MockAnswers::parse(text, test_case);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(MockAnswers, FollowATestCaseOfStepFunctionsLocal) {
  MockAnswers answers = MockAnswers::parse(kMockConfig, "Retries");
  const LocalAnswer first = answers.take("Call");
  EXPECT_EQ(first.output, nullptr);
  EXPECT_EQ(first.error, "Lambda.ResourceNotReadyException");
  EXPECT_EQ(first.cause, "not ready");
  EXPECT_EQ(answers.take("Call").error, "Lambda.TimeoutException");
  EXPECT_EQ(answers.take("Call").error, "Lambda.TimeoutException");
  EXPECT_EQ(base::to_text(*answers.take("Call").output), R"({"StatusCode":200})");
  EXPECT_EQ(base::to_text(*answers.take("Send").output), R"("id-1")");
  EXPECT_THROW((void)answers.take("Call"), base::Error);
  MockAnswers other = MockAnswers::parse(kMockConfig, "Other/Happy");
  EXPECT_NE(other.take("Call").output, nullptr);
  EXPECT_THROW((void)other.take("Send"), base::Error);
}

TEST(MockAnswers, SayWhichTestCasesThereAre) {
  EXPECT_THAT(problem_of(kMockConfig), HasSubstr("Notify/Happy, Notify/Retries, Other/Happy"));
  EXPECT_THAT(problem_of(kMockConfig, "Happy"), HasSubstr("several test cases"));
  EXPECT_THAT(problem_of(kMockConfig, "Sad"), HasSubstr("no test case 'Sad'; it has Notify/Happy"));
  EXPECT_THAT(problem_of("{}", "Sad"), HasSubstr("no test cases"));
  EXPECT_EQ(problem_of(R"({"StateMachines": {"M": {"TestCases": {"Only": {}}}},
                           "MockedResponses": {}})"),
            "accepted");
}

TEST(MockAnswers, OfStepFunctionsLocalThatAreWrongAreRefusedByPlace) {
  const auto with = [](std::string_view response) {
    return R"({"StateMachines": {"M": {"TestCases": {"T": {"S": "R"}}}}, "MockedResponses": )" +
           std::string(response) + "}";
  };
  for (const auto& [response, problem] : std::vector<std::pair<const char*, const char*>>{
           {R"({})", "/MockedResponses/R is missing"},
           {R"({"R": {"0": {}}})", "MockedResponses/R/0 must have either 'Return' or 'Throw'"},
           {R"({"R": {"0": {"Return": 1, "Throw": {"Error": "E"}}}})", "either"},
           {R"({"R": {"0": {"Throw": {}}}})", "R/0/Throw needs an 'Error'"},
           {R"({"R": {"first": {"Return": 1}}})", "R/first must be called after attempts"},
           {R"({"R": {"0-": {"Return": 1}}})", "must be called after attempts"},
           {R"({"R": {"2-1": {"Return": 1}}})", "must be called after attempts"},
           {R"({"R": {"0-99999999": {"Return": 1}}})", "below 10000"},
           {R"({"R": {"1": {"Return": 1}}})", "answers attempt 0 not at all"},
           {R"({"R": {"0-2": {"Return": 1}, "2": {"Return": 1}}})", "answers attempt 2 twice"}}) {
    EXPECT_THAT(problem_of(with(response)), HasSubstr(problem)) << response;
  }
}

}  // namespace
}  // namespace andon::asl
