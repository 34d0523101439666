// SPDX-License-Identifier: Apache-2.0
#include "control/devices/fleet_figures.hpp"

#include <chrono>

#include "control/identity/ending_certificates.hpp"
#include "fleet/messages/deployment_outcome.hpp"
#include "fleet/messages/health_message.hpp"

namespace andon::control {
namespace {

constexpr std::chrono::hours kSilentAfter{24};
constexpr std::chrono::days kEndingWithin{30};

std::int64_t count(store::Transaction& tx, std::string_view sql,
                   const std::vector<store::SqlValue>& values = {}) {
  const auto row = tx.query_one(sql, values);
  return row ? row->integer(0) : 0;
}

}  // namespace

FleetFigures fleet_figures(store::Database& database, base::Timestamp now) {
  using fleet::DeviceHealth;
  using fleet::JobStatus;
  FleetFigures figures;
  // What there is none of is counted, too: an alert must not wait for the first.
  for (const DeviceHealth health : {DeviceHealth::healthy, DeviceHealth::unhealthy}) {
    figures.devices.emplace(fleet::to_string(health), 0);
  }
  for (const JobStatus status :
       {JobStatus::queued, JobStatus::in_progress, JobStatus::succeeded, JobStatus::failed,
        JobStatus::rejected, JobStatus::timed_out, JobStatus::canceled}) {
    figures.jobs.emplace(fleet::to_string(status), 0);
  }
  database.read([&](store::Transaction& tx) {
    figures.things = count(tx, "SELECT count(*) FROM things");
    for (const store::Row& row :
         tx.query("SELECT status, count(*) FROM core_devices GROUP BY status")) {
      figures.devices[row.text(0)] = row.integer(1);
    }
    figures.silent = count(tx, "SELECT count(*) FROM core_devices WHERE updated_ms < $1",
                           {base::to_epoch_millis(now - kSilentAfter)});
    for (const store::Row& row :
         tx.query("SELECT j.status, count(*) FROM deployments d JOIN job_executions j ON "
                  "j.job_id = d.id WHERE d.state = 'CURRENT' GROUP BY j.status")) {
      figures.jobs[row.text(0)] = row.integer(1);
    }
    figures.certificates_ending = count_ending_certificates(tx, now + kEndingWithin);
  });
  return figures;
}

}  // namespace andon::control
