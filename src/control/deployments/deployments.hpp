// SPDX-License-Identifier: Apache-2.0
// Deployments: which components, in which version and configuration, a thing or a thing group shall
// run. Each new one for a target supersedes the one before. One with a parent is a sub-deployment:
// it takes the place of the parent group's deployment on those of its things that are in the
// parent's group, until that has a newer revision (standing.hpp). Any thread; what a call changes
// is one transaction. The devices of a large group get their jobs after it, in steps
// (rollouts.hpp), and all are told through the outbox.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

class Outbox;

// As AWS has them. A group's deployment is ACTIVE while a device has still to finish, and again
// when a device joins; then FAILED if it failed on any device, else COMPLETED.
enum class DeploymentStatus { active, completed, canceled, failed, inactive };
[[nodiscard]] std::string_view to_string(DeploymentStatus status);

struct Deployment {
  std::string id;
  std::string target_arn;
  std::int64_t revision = 1;
  std::string name;
  std::string parent_target_arn;
  DeploymentStatus status = DeploymentStatus::active;
  bool is_latest = true;
  base::Timestamp created;
  std::string ended_reason;  // for people, of one that was canceled
  json::object request;  // components, deploymentPolicies, iotJobConfiguration as they were given
};

struct DeploymentFilter {
  std::string target_arn;  // empty: all
  std::string parent_target_arn;
  enum class History { all, latest_only };
  History history = History::latest_only;
};

class Deployments {
 public:
  Deployments(store::Database& database, Outbox& outbox, const base::Clock& clock, Arns arns);

  // `request` is the input of AWS's CreateDeployment. Throws invalid_argument naming every member
  // that is wrong, not_found for an unknown target. With the clientToken of an earlier request it
  // answers as then.
  Deployment create(const json::object& request);

  [[nodiscard]] std::optional<Deployment> find(const std::string& id) const;
  [[nodiscard]] Page<Deployment> list(const DeploymentFilter& filter,
                                      const PageRequest& page) const;  // newest first
  // Devices that have not finished stop. not_found; conflict where it is not ACTIVE.
  void cancel(const std::string& id);
  // not_found; conflict while it is ACTIVE.
  void remove(const std::string& id);

  // Forgets deployments that ended before `oldest` and did not stay the last of their target, jobs
  // and tags with them: one step of at most `limit` jobs or deployments. Answers how many.
  std::int64_t remove_history(base::Timestamp oldest, std::int64_t limit);

 private:
  store::Database& database_;
  Outbox& outbox_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
