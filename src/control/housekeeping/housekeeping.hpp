// SPDX-License-Identifier: Apache-2.0
// Housekeeping: the one list of everything that the server forgets, when, and in what steps. What
// is not in this list is kept for ever. Each entry removes a bounded number of rows a transaction,
// so requests in between wait for no more than one step; what a run does not get to, the next one
// does. Any thread; one at a time. After a crash it simply goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "control/deployments/deployments.hpp"
#include "control/identity/access_keys.hpp"
#include "control/identity/device_access.hpp"
#include "control/identity/enrolment.hpp"
#include "control/jobs/iot_jobs.hpp"
#include "control/logs/logs.hpp"
#include "control/parameters/secrets.hpp"
#include "control/provisioning/provisioner.hpp"
#include "control/results/results.hpp"
#include "control/sessions/sessions.hpp"
#include "control/telemetry/device_telemetry.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// How long what is over is kept; docs/operations.md has the table.
struct Retention {
  std::chrono::days deployments{90};  // superseded ones, and their jobs
  std::chrono::days uploads{7};       // multipart uploads that nobody has completed
  std::chrono::days events{7};        // rows of the outbox that a consumer has not read
};

// Whose rows they are; all must outlive the Housekeeping.
struct Kept {
  store::Database& database;
  Deployments& deployments;
  DeviceAccess& access;
  Enrolment& enrolment;
  Provisioner& provisioner;
  IotJobs& iot_jobs;
  AccessKeys& access_keys;
  store::ObjectStore& objects;
  Logs& logs;
  Results& results;
  Secrets& secrets;
  Sessions& sessions;
  DeviceTelemetry& telemetry;
};

class Housekeeping {
 public:
  // `clock` is kept by reference.
  Housekeeping(const Kept& kept, const base::Clock& clock, const Retention& retention);

  // Forgets what is due, but of each entry at most kMostSteps steps.
  void run();

  static constexpr std::int64_t kStep = 500;       // rows a transaction
  static constexpr std::int64_t kMostSteps = 200;  // of an entry, a run

 private:
  struct Entry {
    std::string_view what;
    // Removes at most `limit` of them in one transaction; answers how many.
    std::function<std::int64_t(std::int64_t limit)> remove;
  };

  std::vector<Entry> entries_;
};

}  // namespace andon::control
