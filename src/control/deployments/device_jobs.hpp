// SPDX-License-Identifier: Apache-2.0
// Deployments as a device sees them: a queue of jobs (AWS IoT Jobs, namespace
// aws-gg-deployment). One execution is one deployment on one device. Any thread; each call is one
// transaction, which leaves in the outbox what devices must hear; tell() publishes it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/notifier.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/page.hpp"
#include "fleet/messages/job_message.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

using fleet::JobExecution;
using fleet::JobRejection;
using fleet::JobStatus;
using fleet::JobUpdate;

// A deployment on one device, for operators.
struct EffectiveDeployment {
  std::string deployment_id;
  std::string deployment_name;
  std::string target_arn;
  JobExecution execution;
  std::string reason;  // for people
  std::vector<std::string> error_stack;
  std::vector<std::string> error_types;
  base::Timestamp created;
};

struct JobUpdateResult {
  std::optional<JobRejection> rejection;
  std::string message;                    // of a rejection
  std::optional<JobExecution> execution;  // as it is now
};

// A device has two queues: of deployments (namespace aws-gg-deployment), and of the jobs of AWS IoT
// (control/jobs), which any agent on it may work off.
enum class JobQueue : std::uint8_t { deployments, jobs };

class DeviceJobs {
 public:
  DeviceJobs(store::Database& database, Notifier& notifier, Outbox& outbox,
             const base::Clock& clock, Arns arns);

  // What the device should work on now: in progress first, then the longest queued.
  [[nodiscard]] std::optional<JobExecution> next(const std::string& thing,
                                                 JobQueue queue = JobQueue::deployments) const;
  // Of jobs: all that it has to do, at most 100, as next() has them.
  [[nodiscard]] std::vector<JobExecution> pending(const std::string& thing) const;
  // Of jobs: the next one, which is in progress now. Empty details stay as they were.
  std::optional<JobExecution> start_next(const std::string& thing,
                                         const std::map<std::string, std::string>& details);
  [[nodiscard]] std::optional<JobExecution> find(const std::string& thing,
                                                 const std::string& job_id) const;
  // The deployment document; nothing for an unknown job.
  [[nodiscard]] std::optional<json::object> document(const std::string& job_id) const;
  JobUpdateResult update(const std::string& thing, const std::string& job_id,
                         const JobUpdate& update);

  // Of one deployment, by thing; at most `most`.
  [[nodiscard]] std::vector<EffectiveDeployment> of_deployment(const std::string& id,
                                                               std::size_t most) const;
  // Of current deployments, newest first.
  [[nodiscard]] Page<EffectiveDeployment> effective_deployments(const std::string& thing,
                                                                const PageRequest& page) const;

  // Publishes to the next few devices that the outbox, or repeat_pending(), names what they have
  // to do now: both notify topics and the shadow. One thread at a time, so that what was read last
  // is published last. False where nothing is left to tell, or the notifier has no room.
  bool tell();
  // tell() goes on to every device with something to do: at the server's start, and when the
  // broker is back.
  void repeat_pending();
  // Ends executions that are in progress for longer than their deployment allows. Every minute.
  void expire();

 private:
  [[nodiscard]] bool tell_news();
  [[nodiscard]] bool repeat_some();

  store::Database& database_;
  Notifier& notifier_;
  Outbox& outbox_;
  const base::Clock& clock_;
  Arns arns_;
  std::mutex mutex_;
  std::optional<std::string> repeated_;  // guarded by mutex_; the last device; nothing: all done
};

}  // namespace andon::control
