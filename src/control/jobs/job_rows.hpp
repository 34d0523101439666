// SPDX-License-Identifier: Apache-2.0
// The rows of jobs and what is read of them, within the caller's transaction. For the files of this
// room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/jobs/types.hpp"
#include "control/shared/arn.hpp"
#include "fleet/rollout/job_schedule.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

inline constexpr std::string_view kIotJobColumns =
    "id, targets, selection, document, document_source, description, configuration, template_arn, "
    "state, reason_code, comment, is_forced, created_ms, updated_ms, completed_ms, rolling, "
    "is_ended";

[[nodiscard]] IotJob read_iot_job(const store::Row& row, const Arns& arns);  // without counts
// Checked when it was taken in.
[[nodiscard]] fleet::JobConfiguration configuration_of(const json::object& configuration);

[[nodiscard]] fleet::JobSchedule schedule_of(const json::object& configuration);
// A job that goes on, or will: it can be changed and canceled.
[[nodiscard]] bool goes_on(IotJobState state);

// ARNs as targets that are there: invalid_argument, not_found.
[[nodiscard]] std::vector<Target> require_targets(store::Transaction& tx,
                                                  const std::vector<std::string>& arns);
[[nodiscard]] std::string to_stored_targets(const std::vector<Target>& targets);
[[nodiscard]] std::vector<Target> stored_targets(const std::string& text);

// 1 to 64 of [a-zA-Z0-9_-]. `member` is for the message.
void check_job_id(const std::string& id, std::string_view member);
// Document, description and configuration, but for times; answers the configuration, read.
fleet::JobConfiguration check_plan(const JobPlan& plan);
[[nodiscard]] store::SqlValue timeout_of(const fleet::JobConfiguration& configuration);

}  // namespace andon::control
