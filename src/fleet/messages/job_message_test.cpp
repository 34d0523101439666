// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/job_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

JobExecution make_execution() {
  JobExecution execution;
  execution.job_id = "job-1";
  execution.thing = "dev1";
  execution.status = JobStatus::in_progress;
  execution.status_details = {{"k", "v"}};
  execution.version = 3;
  execution.queued = base::from_epoch_millis(5'900);
  execution.started = base::from_epoch_millis(7'000);
  execution.updated = base::from_epoch_millis(8'000);
  return execution;
}

TEST(JobMessage, WhatTheServerTellsIsWhatTheDeviceReads) {
  const json::object document{{"deploymentId", "job-1"}};
  const json::object told{
      {"timestamp", 9}, {"clientToken", "t"}, {"execution", to_json(make_execution(), document)}};
  const NextJob next = parse_next_job(base::to_text(told));
  EXPECT_EQ(next.client_token, "t");
  ASSERT_TRUE(next.job);
  EXPECT_EQ(next.job->job_id, "job-1");
  EXPECT_EQ(next.job->queued_at, 5);
  EXPECT_EQ(next.job->document, R"({"deploymentId":"job-1"})");
}

TEST(JobMessage, AnExecutionIsWrittenAsAwsWritesIt) {
  EXPECT_EQ(json::value(to_json(make_execution(), std::nullopt)),
            json::value({{"jobId", "job-1"},
                         {"thingName", "dev1"},
                         {"status", "IN_PROGRESS"},
                         {"statusDetails", {{"k", "v"}}},
                         {"queuedAt", 5},
                         {"startedAt", 7},
                         {"lastUpdatedAt", 8},
                         {"versionNumber", 3},
                         {"executionNumber", 1}}));
  EXPECT_EQ(json::value(summarize(make_execution())), json::value({{"jobId", "job-1"},
                                                                   {"queuedAt", 5},
                                                                   {"startedAt", 7},
                                                                   {"lastUpdatedAt", 8},
                                                                   {"versionNumber", 3},
                                                                   {"executionNumber", 1}}));
}

TEST(JobMessage, NoJobIsWrittenInTwoWays) {
  EXPECT_FALSE(parse_next_job("{}").job);
  EXPECT_FALSE(parse_next_job(R"({"execution":{}})").job);
}

TEST(JobMessage, AJobWithAnIdThatFitsNoTopicIsRefused) {
  for (const char* payload :
       {"", "x", "[]", R"({"execution":5})", R"({"execution":{"jobId":"a/b","queuedAt":1}})",
        R"({"execution":{"jobId":"a"}})", R"({"execution":{"jobId":"","queuedAt":1}})"}) {
    EXPECT_THROW((void)parse_next_job(payload), base::Error) << payload;
  }
}

TEST(JobMessage, AQuestionAsksForTheDocumentUnlessItSaysNot) {
  const json::object question = make_job_question("dev1", "$next", "t");
  EXPECT_EQ(question.at("clientToken"), "t");
  EXPECT_TRUE(read_job_question(question).include_document);
  EXPECT_TRUE(read_job_question({}).include_document);
  EXPECT_FALSE(read_job_question({{"includeJobDocument", false}}).include_document);
}

TEST(JobMessage, ConsumersOfResultsAreToldToWhoAsksForThem) {
  EXPECT_TRUE(read_job_question(make_job_question("dev1", "$next", "t")).include_result_consumers);
  EXPECT_FALSE(read_job_question({}).include_result_consumers);
  json::object answer;
  EXPECT_FALSE(parse_next_job(base::to_text(answer)).result_consumers);
  put_result_consumers(answer, {});
  EXPECT_EQ(parse_next_job(base::to_text(answer)).result_consumers, std::vector<std::string>{});
  const std::vector<std::string> consumers{"server", "mes"};
  put_result_consumers(answer, consumers);
  EXPECT_EQ(parse_next_job(base::to_text(answer)).result_consumers, consumers);
  put_result_consumers(answer, {"a/b"});
  EXPECT_THROW((void)parse_next_job(base::to_text(answer)), base::Error);
  put_result_consumers(answer, std::vector<std::string>(kMaxResultConsumers + 1, "a"));
  EXPECT_THROW((void)parse_next_job(base::to_text(answer)), base::Error);
}

TEST(JobMessage, WhatTheDeviceReportsIsWhatTheServerReads) {
  const DeploymentOutcome outcome{JobStatus::failed,
                                  {std::string(to_string(DetailedStatus::failed_rollback_complete)),
                                   "com.ex.A: x.zip is damaged",
                                   {"DEPLOYMENT_FAILURE", "COMPONENT_BROKEN"},
                                   {"USER_COMPONENT_ERROR"}}};
  const JobUpdate update = read_job_update(make_job_update("dev1", "job-1", outcome));
  EXPECT_EQ(update.status, JobStatus::failed);
  const DeploymentDetails details = read_job_details(update.status_details);
  EXPECT_EQ(details.detailed_status, "FAILED_ROLLBACK_COMPLETE");
  EXPECT_EQ(details.failure_cause, "com.ex.A: x.zip is damaged");
  EXPECT_THAT(details.error_stack, ElementsAre("DEPLOYMENT_FAILURE", "COMPONENT_BROKEN"));
  EXPECT_THAT(details.error_types, ElementsAre("USER_COMPONENT_ERROR"));
}

TEST(JobMessage, AReportCarriesTheOutcomeAsClassicDevicesDoAndIsCutAsAwsWantsIt) {
  DeploymentOutcome outcome{JobStatus::failed, {"FAILED", std::string(1023, 'x') + "ä", {}, {}}};
  outcome.details.error_stack.assign(200, "A_LONG_CODE");
  const json::object update = make_job_update("dev1", "job-1", outcome);
  const json::object& details = update.at("statusDetails").as_object();
  EXPECT_EQ(details.at("detailed-deployment-status"), "FAILED");
  EXPECT_EQ(details.at("deployment-failure-cause").as_string(), std::string(1023, 'x'));
  EXPECT_LE(details.at("deployment-error-stack").as_string().size(), 1024U);
  EXPECT_EQ(read_job_details(read_job_update(update).status_details).error_stack.size(), 73U);
  EXPECT_FALSE(make_job_update("dev1", "job-1", {}).contains("statusDetails"));
}

TEST(JobMessage, AnUpdateThatADeviceMayNotSendIsRefusedByName) {
  json::object many;
  for (int i = 0; i < 11; ++i) many[std::to_string(i)] = "x";
  struct Case {
    json::object request;
    const char* problem;
  };
  for (const Case& one :
       {Case{{}, "status"}, Case{{{"status", "QUEUED"}}, "\"QUEUED\""},
        Case{{{"status", "TIMED_OUT"}}, "\"TIMED_OUT\""},
        Case{{{"status", "FAILED"}, {"statusDetails", many}}, "more than 10"},
        Case{{{"status", "FAILED"}, {"statusDetails", {{"a", 1}}}}, "text"},
        Case{{{"status", "FAILED"}, {"expectedVersion", "1"}}, "expectedVersion"}}) {
    try {
      (void)read_job_update(one.request);
      ADD_FAILURE() << one.problem;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr(one.problem));
    }
  }
}

TEST(JobMessage, ARejectionIsReadBackAndSaysWhetherItPasses) {
  for (const JobRejection rejection :
       {JobRejection::invalid_topic, JobRejection::invalid_json, JobRejection::invalid_request,
        JobRejection::invalid_state_transition, JobRejection::resource_not_found,
        JobRejection::version_mismatch, JobRejection::internal_error,
        JobRejection::request_throttled, JobRejection::terminal_state_reached}) {
    json::object told = make_rejection(rejection, "why");
    told["clientToken"] = "t";
    const UpdateAnswer answer = parse_update_answer(base::to_text(told));
    EXPECT_EQ(answer.client_token, "t");
    EXPECT_EQ(answer.message, "why");
    EXPECT_EQ(parse_job_rejection(answer.code), rejection);
  }
  EXPECT_EQ(parse_job_rejection("Another"), std::nullopt);
  EXPECT_TRUE(is_final(JobRejection::version_mismatch));
  EXPECT_FALSE(is_final(JobRejection::internal_error));
  EXPECT_FALSE(is_final(JobRejection::request_throttled));
}

TEST(JobStatus, EachHasANameThatIsReadBack) {
  for (const JobStatus status :
       {JobStatus::queued, JobStatus::in_progress, JobStatus::succeeded, JobStatus::failed,
        JobStatus::rejected, JobStatus::timed_out, JobStatus::canceled}) {
    EXPECT_EQ(parse_job_status(to_string(status)), status);
  }
  EXPECT_EQ(parse_job_status("in_progress"), std::nullopt);
}

TEST(DeploymentDetails, WhatADeviceWritesThatIsNoListCountsAsEmpty) {
  const DeploymentDetails details = read_job_details(
      {{"deployment-error-stack", "not JSON"}, {"deployment-error-types", R"(["A",1])"}});
  EXPECT_TRUE(details.error_stack.empty());
  EXPECT_THAT(details.error_types, ElementsAre("A"));
}

TEST(JobMessages, ATimeoutOfAStepIsRefusedByName) {
  for (const auto* text : {R"({"status": "IN_PROGRESS", "stepTimeoutInMinutes": 5})"}) {
    const json::value request = base::parse_json(text, "request");
    EXPECT_THROW((void)read_job_update(request.get_object()), base::Error);
    EXPECT_THROW((void)read_start_details(request.get_object()), base::Error);
  }
  const json::value plain =
      base::parse_json(R"({"statusDetails": {"a": "b"}, "stepTimeoutInMinutes": null})", "request");
  EXPECT_EQ(read_start_details(plain.get_object()), (JobDetails{{"a", "b"}}));
}

}  // namespace
}  // namespace andon::fleet
