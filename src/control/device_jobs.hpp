// SPDX-License-Identifier: Apache-2.0
// Deployments as a device sees them: a queue of jobs (AWS IoT Jobs, namespace
// aws-gg-deployment). One execution is one deployment on one device. Any thread; each call is one
// transaction, and what devices must hear is published after it commits.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"
#include "control/arn.hpp"
#include "control/notifier.hpp"
#include "control/page.hpp"
#include "store/database.hpp"

namespace andon::control {

namespace json = base::json;

enum class JobStatus {
  queued,       // the device has not taken it yet
  in_progress,  // the device works on it
  succeeded,
  failed,
  rejected,   // the device would not take it
  timed_out,  // it was in progress for too long
  canceled,   // by the operator, a newer revision or the device's leaving the group
};
[[nodiscard]] std::string_view to_string(JobStatus status);  // "IN_PROGRESS"
[[nodiscard]] std::optional<JobStatus> parse_job_status(std::string_view text);
[[nodiscard]] bool is_terminal(JobStatus status);

struct JobExecution {
  std::string job_id;  // the deployment's id
  std::string thing;
  JobStatus status = JobStatus::queued;
  std::map<std::string, std::string> status_details;
  std::int64_t version = 1;           // rises with each change
  std::int64_t execution_number = 1;  // rises when it is queued anew
  base::Timestamp queued;
  std::optional<base::Timestamp> started;
  base::Timestamp updated;
};

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

struct JobUpdate {
  JobStatus status = JobStatus::in_progress;
  std::map<std::string, std::string> status_details;  // empty: as they were
  std::optional<std::int64_t> expected_version;
};

// Why a device's update was not taken: the codes of AWS IoT Jobs.
enum class JobRejection {
  resource_not_found,
  version_mismatch,
  terminal_state_reached,
  invalid_state_transition
};
[[nodiscard]] std::string_view to_string(JobRejection rejection);  // "VersionMismatch"

struct JobUpdateResult {
  std::optional<JobRejection> rejection;
  std::string message;                    // of a rejection
  std::optional<JobExecution> execution;  // as it is now
};

// The "execution" object of AWS IoT Jobs; without the document where that is nothing.
[[nodiscard]] json::object describe_execution(const JobExecution& execution,
                                              const std::optional<json::object>& document);
// Seconds since 1970 as an integer: devices refuse a fraction.
[[nodiscard]] std::int64_t to_job_seconds(base::Timestamp time);

class DeviceJobs {
 public:
  DeviceJobs(store::Database& database, Notifier& notifier, const base::Clock& clock, Arns arns);

  // What the device should work on now: in progress first, then the longest queued.
  [[nodiscard]] std::optional<JobExecution> next(const std::string& thing) const;
  [[nodiscard]] std::optional<JobExecution> find(const std::string& thing,
                                                 const std::string& job_id) const;
  // The deployment document; nothing for an unknown job.
  [[nodiscard]] std::optional<json::object> document(const std::string& job_id) const;
  JobUpdateResult update(const std::string& thing, const std::string& job_id,
                         const JobUpdate& update);

  // Of current deployments, newest first.
  [[nodiscard]] Page<EffectiveDeployment> effective_deployments(const std::string& thing,
                                                                const PageRequest& page) const;

  // Publishes both notify topics with what `thing` has to do now.
  void notify(const std::string& thing);
  // Publishes the deployment shadow as it is now; nothing where there is none.
  void notify_shadow(const std::string& thing);
  // For every device with something to do: at the server's start and when the broker is back.
  void notify_all_pending();
  // Ends executions that are in progress for longer than their deployment allows. Every minute.
  void expire();

 private:
  store::Database& database_;
  Notifier& notifier_;
  const base::Clock& clock_;
  Arns arns_;
  std::mutex notify_mutex_;  // what was read last is published last
};

}  // namespace andon::control
