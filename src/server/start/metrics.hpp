// SPDX-License-Identifier: Apache-2.0
// What the server tells Prometheus at /metrics; docs/operations.md has the list. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "control/alarms/alarms.hpp"
#include "control/devices/fleet_figures.hpp"
#include "control/logs/log_writer.hpp"
#include "control/results/result_intake.hpp"
#include "control/results/results.hpp"
#include "server/broker/broker_counters.hpp"
#include "server/start/audit_trail.hpp"
#include "wire/otlp/otlp_sender.hpp"
#include "workflow/engine/workflow.hpp"
#include "workflow/jobs/job_runner.hpp"

namespace andon::server {

// How many there are.
struct SealedCounts {
  std::int64_t parameters = 0;
  std::int64_t secrets = 0;
};

// Of topic rules and shadows.
struct TopicCounts {
  std::uint64_t messages = 0;  // that a rule was asked about
  std::uint64_t dropped = 0;
  std::uint64_t failed = 0;
  std::int64_t shadows = 0;
};

[[nodiscard]] std::string metrics_text(
    workflow::Workflow& workflow, const workflow::JobRunner::Gauges& jobs,
    const control::LogWriter::Counts& logs, const control::Results& results,
    const control::ResultIntake::Counts& taken, const SealedCounts& sealed, const AuditTrail& audit,
    const std::optional<wire::OtlpSender::Counts>& otlp, const BrokerCounters::Values& broker,
    const control::FleetFigures& fleet, const std::vector<control::Alarm>& alarms,
    const TopicCounts& topics, const base::fs::path& data);

}  // namespace andon::server
