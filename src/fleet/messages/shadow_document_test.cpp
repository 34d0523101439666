// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/shadow_document.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

TEST(ShadowDocument, AReportIsReadBack) {
  const ShadowReport report{
      "arn:1", {JobStatus::failed, {"FAILED_NO_STATE_CHANGE", "why", {"A"}, {"B", "C"}}}};
  const auto read = read_shadow_report(to_json(report));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->configuration_arn, "arn:1");
  EXPECT_EQ(read->outcome.status, JobStatus::failed);
  EXPECT_EQ(to_json(read->outcome.details), to_json(report.outcome.details));
}

json::object shadow_with(const json::object& reported, JobStatus wanted = JobStatus::succeeded) {
  return make_shadow(
      {{"desired", make_desired(R"({"ConfigurationArn":"arn:1","components":{}})", wanted)},
       {"reported", reported}},
      7, base::Timestamp{});
}

TEST(ShadowDocument, ADeviceReadsWhatItsServerDesires) {
  const auto desired = read_desired_deployment(base::to_text(shadow_with({})));
  ASSERT_TRUE(desired);
  EXPECT_EQ(desired->document, R"({"ConfigurationArn":"arn:1","components":{}})");
  EXPECT_EQ(desired->configuration_arn, "arn:1");
  EXPECT_EQ(desired->version, 7);
  EXPECT_FALSE(desired->is_cancelled || desired->has_ended);
  EXPECT_TRUE(
      read_desired_deployment(base::to_text(shadow_with({}, JobStatus::canceled)))->is_cancelled);
  for (const auto& [status, has_ended] :
       {std::pair{JobStatus::in_progress, false}, std::pair{JobStatus::succeeded, true},
        std::pair{JobStatus::failed, true}}) {
    EXPECT_EQ(read_desired_deployment(
                  base::to_text(shadow_with(to_json(ShadowReport{"arn:1", {status, {}}}))))
                  ->has_ended,
              has_ended);
  }
  EXPECT_FALSE(read_desired_deployment(base::to_text(shadow_with(to_json(
                                           ShadowReport{"arn:0", {JobStatus::succeeded, {}}}))))
                   ->has_ended)
      << "that was the deployment before";
}

TEST(ShadowDocument, AShadowWithoutADeploymentDesiresNothingAndOneThatIsMalformedIsRefused) {
  EXPECT_FALSE(read_desired_deployment(R"({"state":{"reported":{"status":"SUCCEEDED"}}})"));
  EXPECT_FALSE(read_desired_deployment(R"({"state":{"desired":{"fleetConfig":"{}"}}})"));
  for (const char* payload :
       {"x", "[]", R"({"state":7})",
        R"({"state":{"desired":{"fleetConfig":"?","desiredStatus":"SUCCEEDED"}}})",
        R"({"state":{"desired":{"fleetConfig":"{}","desiredStatus":"SUCCEEDED"}}})"}) {
    EXPECT_THROW((void)read_desired_deployment(payload), base::Error) << payload;
  }
}

TEST(ShadowDocument, WhatIsAboutNoDeploymentIsNoReport) {
  EXPECT_FALSE(read_shadow_report({{"ggcVersion", "2.0"}}));
  EXPECT_FALSE(read_shadow_report({{"status", "SUCCEEDED"}}));
}

TEST(ShadowDocument, AStatusThatNoDeviceReportsIsRefused) {
  for (const char* status : {"QUEUED", "TIMED_OUT", "DONE"}) {
    EXPECT_THROW(
        (void)read_shadow_report({{"fleetConfigurationArnForStatus", "arn:1"}, {"status", status}}),
        base::Error)
        << status;
  }
}

TEST(ShadowDocument, AnUpdateNeedsReportedStateAndMayNameTheVersion) {
  const ShadowUpdate update =
      read_shadow_update({{"state", {{"reported", {{"a", 1}}}}}, {"version", 4}});
  EXPECT_EQ(update.version, 4);
  EXPECT_EQ(update.reported, (json::object{{"a", 1}}));
  EXPECT_THROW((void)read_shadow_update({}), base::Error);
  EXPECT_THROW((void)read_shadow_update({{"state", json::object{}}}), base::Error);
}

TEST(ShadowDocument, IsToldAsAwsTellsIt) {
  const json::object desired = make_desired("{}", JobStatus::canceled);
  EXPECT_EQ(
      json::value(make_shadow({{"desired", desired}}, 3, base::from_epoch_millis(2500))),
      json::value({{"state", {{"desired", {{"fleetConfig", "{}"}, {"desiredStatus", "CANCELED"}}}}},
                   {"version", 3},
                   {"timestamp", 2}}));
  EXPECT_EQ(json::value(make_shadow_rejection(404, "none", base::from_epoch_millis(2500))),
            json::value({{"code", 404}, {"message", "none"}, {"timestamp", 2}}));
}

}  // namespace
}  // namespace andon::fleet
