// SPDX-License-Identifier: Apache-2.0
#include "control/control_plane.hpp"

#include "control/schema.hpp"

namespace andon::control {
namespace {

store::Database& migrated(store::Database& database) {
  migrate_schema(database);
  return database;
}

}  // namespace

ControlPlane::ControlPlane(store::Database& database, store::ObjectStore& objects,
                           const base::Clock& clock, Notifier& notifier,
                           const trust::CertificateAuthority& authority, const Arns& own_arns)
    : arns(own_arns),
      tags(migrated(database)),
      components(database, objects, clock, own_arns),
      jobs(database, notifier, clock, own_arns),
      things(database, jobs, clock, own_arns),
      enrolment(database, authority, clock, own_arns),
      core_devices(database, clock),
      deployments(database, jobs, clock, own_arns),
      shadow(database, jobs, clock),
      access(database, clock) {}

}  // namespace andon::control
