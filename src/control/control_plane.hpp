// SPDX-License-Identifier: Apache-2.0
// The control plane for components, fleet and deployments, put together: what the operator API and
// the device plane are built on. Made once by the server; any thread may use its parts.
// The constructor brings the database's schema up to date.
#pragma once

#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/components/components.hpp"
#include "control/deployments/deployment_shadow.hpp"
#include "control/deployments/deployments.hpp"
#include "control/deployments/device_jobs.hpp"
#include "control/deployments/rollouts.hpp"
#include "control/devices/core_devices.hpp"
#include "control/devices/thing_types.hpp"
#include "control/devices/things.hpp"
#include "control/discovery/client_devices.hpp"
#include "control/identity/certificates.hpp"
#include "control/identity/connection_rights.hpp"
#include "control/identity/consumers.hpp"
#include "control/identity/device_access.hpp"
#include "control/identity/enrolment.hpp"
#include "control/identity/renewal.hpp"
#include "control/index/dynamic_groups.hpp"
#include "control/index/thing_index.hpp"
#include "control/iotpolicy/iot_policies.hpp"
#include "control/jobs/iot_jobs.hpp"
#include "control/provisioning/provisioner.hpp"
#include "control/provisioning/provisioning_templates.hpp"
#include "control/shadows/shadows.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/notifier.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/tags.hpp"
#include "control/telemetry/device_telemetry.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {

struct ControlPlane {
  // All but `authority` are kept by reference and must outlive it.
  ControlPlane(store::Database& database, store::ObjectStore& objects, const base::Clock& clock,
               Notifier& notifier, const trust::CertificateAuthority& authority,
               const Arns& own_arns,
               std::chrono::days certificate_lifetime = kDeviceCertificateLifetime,
               std::vector<std::string> consumers_of_results = {});

  // A step of what is to be done for devices and told to them, from one thread, for as long as it
  // answers that there is more. Whoever does it is woken through `outbox`.
  bool serve_devices();

  Arns arns;
  // Whose word that a result is stored devices wait for.
  const std::vector<std::string> result_consumers;
  Tags tags;
  Components components;
  Outbox outbox;
  DeviceJobs jobs;
  Rollouts rollouts;
  Things things;
  ThingTypes thing_types;
  Certificates certificates;
  IotPolicies iot_policies;
  Consumers consumers;
  ProvisioningTemplates provisioning_templates;
  Provisioner provisioner;
  ConnectionRights rights;
  Enrolment enrolment;
  Renewal renewal;
  CoreDevices core_devices;
  DeviceTelemetry telemetry;
  ClientDevices client_devices;
  ThingIndex index;
  DynamicGroups dynamic_groups;
  IotJobs iot_jobs;
  Deployments deployments;
  DeploymentShadow shadow;
  Shadows shadows;
  DeviceAccess access;
};

}  // namespace andon::control
