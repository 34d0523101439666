// SPDX-License-Identifier: Apache-2.0
// The control plane for components, fleet and deployments, put together: what the operator API and
// the device plane are built on. Made once by the server; any thread may use its parts.
// The constructor brings the database's schema up to date.
#pragma once

#include "base/time.hpp"
#include "control/arn.hpp"
#include "control/components.hpp"
#include "control/core_devices.hpp"
#include "control/deployment_shadow.hpp"
#include "control/deployments.hpp"
#include "control/device_access.hpp"
#include "control/device_jobs.hpp"
#include "control/enrolment.hpp"
#include "control/notifier.hpp"
#include "control/tags.hpp"
#include "control/things.hpp"
#include "store/database.hpp"
#include "store/object_store.hpp"
#include "trust/certificate.hpp"

namespace andon::control {

struct ControlPlane {
  // All but `authority` are kept by reference and must outlive it.
  ControlPlane(store::Database& database, store::ObjectStore& objects, const base::Clock& clock,
               Notifier& notifier, const trust::CertificateAuthority& authority,
               const Arns& own_arns);

  Arns arns;
  Tags tags;
  Components components;
  DeviceJobs jobs;
  Things things;
  Enrolment enrolment;
  CoreDevices core_devices;
  Deployments deployments;
  DeploymentShadow shadow;
  DeviceAccess access;
};

}  // namespace andon::control
