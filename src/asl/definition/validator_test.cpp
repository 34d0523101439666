// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/validator.hpp"

#include <gmock/gmock.h>

namespace andon::asl {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// "CODE message @ location" of each problem.
std::vector<std::string> problems(std::string_view definition, bool express = false) {
  std::vector<std::string> lines;
  for (const Diagnostic& problem :
       validate_definition(definition, {.express = express}).diagnostics) {
    lines.push_back(problem.code + " " + problem.message + " @ " + problem.location);
  }
  return lines;
}

std::string one_state(const std::string& state) {
  return R"({"StartAt":"X","States":{"X":)" + state + "}}";
}

TEST(Validator, AcceptsAValidMachine) {
  EXPECT_THAT(problems(one_state(R"({"Type":"Pass","End":true})")), IsEmpty());
  EXPECT_TRUE(validate_definition(one_state(R"({"Type":"Succeed"})")).ok);
}

TEST(Validator, NamesWhatIsMissingAtTheTop) {
  EXPECT_THAT(
      problems(""),
      testing::ElementsAre("SCHEMA_VALIDATION_FAILED Definition must be a valid JSON object @ "));
  EXPECT_THAT(problems("not a definition"), Contains(HasSubstr("INVALID_JSON_DESCRIPTION")));
  EXPECT_THAT(problems("{}"),
              testing::ElementsAre(
                  "SCHEMA_VALIDATION_FAILED These fields are required: [States, StartAt] @ /"));
  EXPECT_THAT(problems(R"({"States":{"P":{"Type":"Pass","End":true}}})"),
              Contains("SCHEMA_VALIDATION_FAILED These fields are required: [StartAt] @ /"));
}

TEST(Validator, ReportsEachProblemOfTheTable) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({"Type":"Nope"})",
       "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, "
       "Choice, Parallel, Map] @ /States/X/Type"},
      {R"({"Type":"Pass"})", "These fields are required: [Next] @ /States/X"},
      {R"({"Type":"Pass","End":true,"Zap":1})", "Field 'Zap' is not supported @ /States/X"},
      {R"({"Type":"Pass","Next":"Y"})",
       "MISSING_TRANSITION_TARGET Missing 'Next' target: Y @ /States/X/Next"},
      {R"({"Type":"Pass","Next":"X"})", "MISSING_END_STATE"},
      {R"({"Type":"Pass","End":true,"Output":1})",
       "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the "
       "'JSONata' QueryLanguage @ /States/X"},
      {R"({"Type":"Pass","End":true,"QueryLanguage":"JSONata","InputPath":"$"})",
       "The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported"},
      {R"({"Type":"Pass","End":true,"QueryLanguage":"jsonata"})",
       "Value should be one of the following: [JSONPath, JSONata] @ /States/X/QueryLanguage"},
      {R"({"Type":"Pass","End":true,"InputPath":"x"})", "Value is not a valid JSONPath"},
      {R"({"Type":"Pass","End":true,"ResultPath":"$..a"})", "Value is not a Reference Path"},
      {R"({"Type":"Pass","End":true,"Parameters":{"k.$":"bad"}})",
       "The value for the field 'k.$' must be a valid JSONPath or a valid intrinsic function call "
       "@ /States/X/Parameters/k.$"},
      {R"~({"Type":"Pass","End":true,"Parameters":{"k.$":"States.Nope()"}})~",
       "must be a valid JSONPath or a valid intrinsic function call"},
      {R"({"Type":"Pass","End":true,"QueryLanguage":"JSONata","Output":"{% a[1,2) %}"})",
       "INVALID_JSONATA_EXPRESSION"},
      {R"({"Type":"Pass","End":true,"QueryLanguage":"JSONata","Output":{"v":"{% phone %}"}})",
       "UNSUPPORTED_JSONATA_EXPRESSION Reference to 'phone' at the top level is not supported. @ "
       "/States/X/Output/v"},
      {R"({"Type":"Task","End":true})", "These fields are required: [Resource] @ /States/X"},
      {R"({"Type":"Task","End":true,"Resource":"lambda"})", "/States/X/Resource"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","TimeoutSeconds":1,"TimeoutSecondsPath":"$.t"})",
       "Only one of 'TimeoutSeconds' and 'TimeoutSecondsPath'"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","TimeoutSeconds":5,"HeartbeatSeconds":5})",
       "HeartbeatSeconds must be smaller than TimeoutSeconds"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","Retry":[{"ErrorEquals":[]}]})",
       "Array should have at least 1 item(s) @ /States/X/Retry[0]/ErrorEquals"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","Retry":[{"ErrorEquals":["States.ALL","A"]}]})",
       "'States.ALL' must appear alone"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","Retry":[{"ErrorEquals":["A"],"BackoffRate":0.5}]})",
       "/States/X/Retry[0]/BackoffRate"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","Catch":[{"ErrorEquals":["A"],"Next":"Z"}]})",
       "Missing 'Next' target: Z @ /States/X/Catch[0]/Next"},
      {R"({"Type":"Choice","Choices":[]})",
       "Array should have at least 1 item(s) @ /States/X/Choices"},
      {R"({"Type":"Choice","Choices":[{"Variable":"$.a","Next":"X"}]})",
       "A choice rule must have exactly one comparison operator @ /States/X/Choices[0]"},
      {R"({"Type":"Choice","Choices":[{"Variable":"$.a","TimestampEquals":"x","Next":"X"}]})",
       "RFC3339"},
      {R"({"Type":"Wait","End":true})", "A Wait state must have exactly one of"},
      {R"({"Type":"Wait","End":true,"Seconds":-1})",
       "Value must be between 0 and 99999999 @ /States/X/Seconds"},
      {R"({"Type":"Parallel","End":true,"Branches":[]})",
       "Array should have at least 1 item(s) @ /States/X/Branches"},
      {R"({"Type":"Map","End":true})", "These fields are required: [ItemProcessor] @ /States/X"},
      {R"({"Type":"Map","End":true,"Label":"a","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}})",
       "Field 'Label' is only supported for Map states in DISTRIBUTED mode"},
      {R"({"Type":"Map","End":true,"Parameters":{},"ItemSelector":{},"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}})",
       "Only one of 'ItemSelector' and 'Parameters' may be used @ /States/X"},
      {R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:r:1:function:f","Credentials":"me"})",
       "Expected value of type [OBJECT] @ /States/X/Credentials"},
      {R"({"Type":"Parallel","End":true,"Branches":[{"StartAt":"X","States":{"X":{"Type":"Pass","End":true}}}]})",
       "DUPLICATE_STATE_NAME Duplicate State name: X"},
      {R"({"Type":"Succeed","TimeoutSeconds":1})",
       "Field 'TimeoutSeconds' is not supported @ /States/X"},
  };
  for (const auto& [state, expected] : rows) {
    EXPECT_THAT(problems(one_state(state)), Contains(HasSubstr(expected))) << state;
  }
}

TEST(Validator, RefusesTwoStatesOfOneName) {
  EXPECT_THAT(
      problems(R"({"StartAt":"A","States":{"A":{"Type":"Succeed"},"\u0041":{"Type":"Fail"}}})"),
      testing::ElementsAre("DUPLICATE_STATE_NAME Duplicate State name: A @ /States/A"));
  EXPECT_THAT(
      problems(one_state(R"({"Type":"Parallel","End":true,"Branches":[{"StartAt":"B","States":
        {"B":{"Type":"Succeed"}}},{"StartAt":"C","States":{"C":{"Type":"Succeed"},
        "C":{"Type":"Succeed"}}}]})")),
      testing::ElementsAre(
          "DUPLICATE_STATE_NAME Duplicate State name: C @ /States/X/Branches[1]/States/C"));
  // Only the names of states.
  EXPECT_THAT(problems(one_state(R"({"Type":"Pass","End":true,"Result":{"a":1,"a":2}})")),
              IsEmpty());
}

TEST(Validator, TakesAByteOrderMarkAndCredentialsThatAreComputed) {
  EXPECT_THAT(problems("\xEF\xBB\xBF" + one_state(R"({"Type":"Succeed"})")), IsEmpty());
  EXPECT_THAT(problems(one_state(R"({"Type":"Task","QueryLanguage":"JSONata","End":true,
                "Resource":"arn:aws:lambda:r:1:function:f","Credentials":"{% $role %}"})")),
              IsEmpty());
}

TEST(Validator, ReportsAllProblemsAtOnce) {
  const auto found = problems(R"({"StartAt":"Q","States":{"A":{"Type":"Pass","Next":"B","Zap":1},
    "C":{"Type":"Wait","Seconds":"x","End":true}}})");
  EXPECT_THAT(found, Contains(HasSubstr("Zap")));
  EXPECT_THAT(found, Contains(HasSubstr("Missing 'Next' target: B")));
  EXPECT_THAT(found, Contains(HasSubstr("/States/C/Seconds")));
  EXPECT_THAT(found, Contains(HasSubstr("/StartAt")));
}

TEST(Validator, RefusesToGoBackToJsonPath) {
  EXPECT_THAT(problems(R"({"QueryLanguage":"JSONata","StartAt":"Pass","States":{"Pass":
    {"QueryLanguage":"JSONPath","Type":"Pass","End":true}}})"),
              testing::ElementsAre("SCHEMA_VALIDATION_FAILED 'QueryLanguage' can not be 'JSONPath' "
                                   "if set to 'JSONata' for whole state machine @ /States/Pass"));
}

TEST(Validator, KnowsWhatExpressCannotDo) {
  const std::string machine = one_state(
      R"({"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","End":true})");
  EXPECT_THAT(problems(machine), IsEmpty());
  EXPECT_THAT(
      problems(machine, true),
      testing::ElementsAre("SCHEMA_VALIDATION_FAILED Express state machine does not support "
                           "'.waitForTaskToken' service integration  @ /States/X/Resource"));
}

TEST(Validator, FindsStatesThatNothingLeadsTo) {
  EXPECT_THAT(
      problems(R"({"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed"}}})"),
      Contains("MISSING_TRANSITION_TARGET State \"B\" is not reachable. @ /States/B"));
}

TEST(Validator, RefusesToAssignAVariableOfAnOuterFlow) {
  const auto machine = [](const std::string& config, const std::string& name) {
    return R"({"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"x":1},"Next":"M"},
      "M":{"Type":"Map","End":true,"ItemProcessor":{)" +
           config + R"("StartAt":"I","States":{"I":{"Type":"Pass","Assign":{")" + name +
           R"(":2},"End":true}}}}}})";
  };
  EXPECT_THAT(problems(machine("", "x.$")), testing::Not(IsEmpty()));
  EXPECT_THAT(problems(machine("", "x")), Contains(HasSubstr("Variable 'x' is assigned in an outer "
                                                             "scope")));
  EXPECT_THAT(problems(machine("", "y")), IsEmpty());
  // The children of a distributed Map are executions of their own.
  EXPECT_THAT(problems(machine(
                  R"("ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},)", "x")),
              IsEmpty());
}

TEST(Validator, WarnsOnlyWhereItIsAskedTo) {
  const std::string machine = one_state(R"({"Type":"Pass","End":true,"Result":{"a.$":"$.b"}})");
  EXPECT_THAT(problems(machine), IsEmpty());
  const Validation asked = validate_definition(machine, {.least = Severity::warning});
  EXPECT_TRUE(asked.ok);
  ASSERT_EQ(asked.diagnostics.size(), 1U);
  EXPECT_EQ(asked.diagnostics[0].code, "PASS_RESULT_IS_STATIC");
}

TEST(Validator, KnowsWhereStatesHasAResultAndAnError) {
  const auto with = [](const std::string& fields) {
    return one_state(R"({"Type":"Task","QueryLanguage":"JSONata","End":true,
      "Resource":"arn:aws:states:::sqs:sendMessage",)" +
                     fields + "}");
  };
  EXPECT_THAT(problems(with(R"~("Output":"{% $states.result %}")~")), IsEmpty());
  EXPECT_THAT(problems(with(R"~("Arguments":"{% $states.result %}")~")),
              Contains(HasSubstr("UNSUPPORTED_JSONATA_EXPRESSION")));
  EXPECT_THAT(problems(with(R"~("Output":"{% $states.errorOutput %}")~")),
              Contains(HasSubstr("UNSUPPORTED_JSONATA_EXPRESSION")));
}

TEST(Validator, BoundsHugeAndDeepDefinitions) {
  EXPECT_FALSE(validate_definition(std::string(10U << 20U, '[')).ok);
  std::string deep;
  for (int i = 0; i < 60; ++i) {
    deep += R"({"StartAt":"P)" + std::to_string(i) + R"(","States":{"P)" + std::to_string(i) +
            R"(":{"Type":"Parallel","End":true,"Branches":[)";
  }
  deep += R"({"StartAt":"E","States":{"E":{"Type":"Succeed"}}})";
  for (int i = 0; i < 60; ++i) deep += "]}}}";
  EXPECT_FALSE(validate_definition(deep).ok);
}

}  // namespace
}  // namespace andon::asl
