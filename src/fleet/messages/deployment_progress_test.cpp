// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/deployment_progress.hpp"

#include <gtest/gtest.h>

#include "fleet/messages/job_message.hpp"

namespace andon::fleet {
namespace {

TEST(DeploymentProgress, ReadsBackFromAJobsDetails) {
  const DeploymentProgress progress{"downloading", "com.example.Model", 12'345'678, 48'000'000,
                                    "the server cannot be reached"};
  EXPECT_EQ(read_job_progress(to_job_details(progress)), progress);
  EXPECT_EQ(describe(progress),
            "downloading com.example.Model, 12.3 of 48.0 MB; the server cannot be reached");
  EXPECT_EQ(read_job_progress({}), DeploymentProgress{});
  EXPECT_EQ(describe(DeploymentProgress{}), "");
}

TEST(DeploymentProgress, TheServerReadsWhatADeviceSends) {
  const DeploymentProgress progress{"asking components", "", 0, 0, "waiting for app"};
  const JobUpdate update = read_job_update(make_progress_update("dev1", "job-1", progress));
  EXPECT_EQ(update.status, JobStatus::in_progress);
  EXPECT_EQ(read_job_progress(update.status_details), progress);
}

TEST(DeploymentProgress, WhatIsNoNumberCountsAsNone) {
  EXPECT_EQ(read_job_progress({{"andon-step", "x"}, {"andon-bytes", "many"}}),
            (DeploymentProgress{"x", "", 0, 0, ""}));
}

}  // namespace
}  // namespace andon::fleet
