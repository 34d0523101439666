// SPDX-License-Identifier: Apache-2.0
// Jobs and their rollout. CreateJob stores the job and answers; steps then give it to the devices
// of its targets at the rate that its configuration says (fleet/rollout), each step one transaction
// with the pace that it leaves, so that a server that was killed goes on where it was and at the
// same rate. A schedule (schedulingConfig) is kept in the same way: when the next rollout may be,
// and when the job ends, stand in its row. What devices say of their executions
// (deployments/device_jobs.hpp) marks the job, in the same transaction; the next step retries,
// gives the job up or completes it. Any thread; step() and expire() from one each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/jobs/types.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

using fleet::JobExecution;
using fleet::JobStatus;

class IotJobs {
 public:
  IotJobs(store::Database& database, Outbox& outbox, const base::Clock& clock, Arns arns);

  // The same job again is no error. invalid_argument, not_found for a target that is not there,
  // already_exists, resource_exhausted.
  IotJob create(const NewIotJob& wanted);
  [[nodiscard]] std::optional<IotJob> find(const std::string& id) const;
  [[nodiscard]] IotJob require(const std::string& id) const;  // not_found
  struct Filter {
    std::optional<IotJobState> state;
    std::optional<TargetSelection> selection;
    std::string group;  // that is one of its targets; empty: any
  };
  // Newest first.
  [[nodiscard]] Page<IotJob> list(const Filter& filter, const PageRequest& page) const;
  // Members of `configuration` take the place of those that are there. failed_precondition once it
  // is over.
  void update(const std::string& id, const std::optional<std::string>& description,
              const json::object& configuration);
  // Of a continuous job that goes on.
  IotJob add_targets(const std::string& id, const std::vector<std::string>& targets,
                     const std::string& comment);
  struct Cancel {
    std::string reason_code;
    std::string comment;
    Force force = Force::no;
  };
  // Devices that have not begun are told; with force also those that have. failed_precondition once
  // it is over.
  IotJob cancel(const std::string& id, const Cancel& cancel);
  // failed_precondition while it goes on, unless by force.
  void remove(const std::string& id, Force force);

  [[nodiscard]] std::optional<JobExecution> execution(const std::string& id,
                                                      const std::string& thing) const;
  [[nodiscard]] std::optional<base::Timestamp> deadline(const JobExecution& execution) const;
  // By thing; by job. Of the job, or thing, that is there: not_found.
  [[nodiscard]] Page<JobExecution> executions_of(const std::string& id,
                                                 const std::optional<JobStatus>& status,
                                                 const PageRequest& page) const;
  [[nodiscard]] Page<JobExecution> executions_on(const std::string& thing,
                                                 const std::optional<JobStatus>& status,
                                                 const PageRequest& page) const;
  struct CancelExecution {
    Force force = Force::no;
    std::optional<std::int64_t> expected_version;
    std::map<std::string, std::string> details;
  };
  // not_found, conflict; failed_precondition where it is over, or in progress and not forced.
  void cancel_execution(const std::string& id, const std::string& thing,
                        const CancelExecution& cancel);
  void remove_execution(const std::string& id, const std::string& thing, std::int64_t number,
                        Force force);

  JobTemplate create_template(const std::string& id, const JobPlan& plan);
  [[nodiscard]] std::optional<JobTemplate> find_template(const std::string& id) const;
  [[nodiscard]] Page<JobTemplate> list_templates(const PageRequest& page) const;
  void remove_template(const std::string& id);  // not_found
  [[nodiscard]] std::string template_arn(const std::string& id) const {
    return arns_.target("jobtemplate/" + id);
  }
  [[nodiscard]] std::string job_arn(const std::string& id) const {
    return arns_.target("job/" + id);
  }

  // One step of one job. False where nothing is to be done now.
  bool step();
  // Executions that are in progress for too long.
  void expire();
  // Jobs that were over before `oldest`, their executions first; at most `limit` rows.
  std::int64_t remove_history(base::Timestamp oldest, std::int64_t limit);

 private:
  [[nodiscard]] bool roll_out(const std::string& id);
  [[nodiscard]] bool end(const std::string& id);
  [[nodiscard]] bool settle(const std::string& id);
  [[nodiscard]] IotJob read(store::Transaction& tx, const store::Row& row) const;
  [[nodiscard]] IotJob require(store::Transaction& tx, const std::string& id) const;

  store::Database& database_;
  Outbox& outbox_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
