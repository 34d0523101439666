// SPDX-License-Identifier: Apache-2.0
#include "control/control_plane.hpp"

#include <utility>

#include "control/deployments/rollout_schema.hpp"
#include "control/devices/device_schema.hpp"
#include "control/index/index_schema.hpp"
#include "control/iotpolicy/iot_policy_schema.hpp"
#include "control/jobs/job_schema.hpp"
#include "control/provisioning/provisioning_schema.hpp"
#include "control/shared/schema.hpp"

namespace andon::control {
namespace {

store::Database& migrated(store::Database& database) {
  migrate_schema(database);
  migrate_iot_policies(database);
  migrate_rollouts(database);
  migrate_devices(database);
  migrate_provisioning(database);
  migrate_index(database);
  migrate_jobs(database);
  return database;
}

}  // namespace

ControlPlane::ControlPlane(store::Database& database, store::ObjectStore& objects,
                           const base::Clock& clock, Notifier& notifier,
                           const trust::CertificateAuthority& authority, const Arns& own_arns,
                           std::chrono::days certificate_lifetime,
                           std::vector<std::string> consumers_of_results)
    : arns(own_arns),
      result_consumers(std::move(consumers_of_results)),
      tags(migrated(database)),
      components(database, objects, clock, own_arns),
      jobs(database, notifier, outbox, clock, own_arns),
      rollouts(database, clock),
      things(database, outbox, clock, own_arns),
      thing_types(database, clock, own_arns),
      certificates(database, authority, clock, own_arns, certificate_lifetime),
      iot_policies(database, clock, own_arns),
      consumers(database, certificates, iot_policies, clock, own_arns),
      provisioning_templates(database, clock, own_arns),
      provisioner(database, certificates, iot_policies, provisioning_templates, outbox, clock,
                  own_arns),
      rights(database, clock),
      enrolment(database, certificates, iot_policies, clock),
      renewal(database, certificates, clock, authority.certificate_pem),
      core_devices(database, clock),
      telemetry(database, clock),
      client_devices(database, clock),
      index(database),
      dynamic_groups(database, things, outbox, clock),
      iot_jobs(database, outbox, clock, own_arns),
      deployments(database, outbox, clock, own_arns),
      shadow(database, outbox, clock),
      shadows(database, notifier, clock),
      access(database, clock) {}

bool ControlPlane::serve_devices() {
  const bool has_told = jobs.tell();
  const bool has_joined = dynamic_groups.step();
  const bool has_begun = iot_jobs.step();
  return rollouts.step() || has_begun || has_joined || has_told;
}

}  // namespace andon::control
