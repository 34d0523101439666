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
