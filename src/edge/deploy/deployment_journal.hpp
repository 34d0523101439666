// SPDX-License-Identifier: Apache-2.0
// The deployments of this device in config.db: the one in hand with its state, plan and failure,
// and the last good set of components. A row is kept after its end, so that a job that is delivered
// twice is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "edge/configuration/configuration_store.hpp"
#include "edge/deploy/deployment_state.hpp"
#include "edge/state/deployment_failure.hpp"
#include "edge/state/installed_set.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

struct DeploymentRecord {
  std::int64_t id = 0;
  std::string job_id;
  std::int64_t queued_at = 0;
  std::string state_name;  // as saved; may be one that this version does not know
  int attempts = 0;        // how often the agent has begun the work of this state
  std::string document;
  std::optional<InstalledSet> plan;
  std::optional<Configurations> previous_configuration;
  std::optional<FailureReport> failure;
  std::uint64_t bytes_fetched = 0;
  std::string failed_in;  // name of the state whose work failed; empty without a failure

  [[nodiscard]] std::optional<DeploymentState> state() const {
    return parse_deployment_state(state_name);
  }
};

class DeploymentJournal {
 public:
  DeploymentJournal(store::Database& database, const base::Clock& clock);

  // What follows reads and writes at once: not on a running loop.
  // The one that has not ended, if there is one.
  [[nodiscard]] std::optional<DeploymentRecord> unfinished() const;
  // The newest one, ended or not.
  [[nodiscard]] std::optional<DeploymentRecord> latest() const;
  [[nodiscard]] InstalledSet last_good() const;
  struct KnownJob {
    std::string job_id;
    std::int64_t queued_at = 0;
  };
  // Those of the newest kRowsKept deployments, the oldest first.
  [[nodiscard]] std::vector<KnownJob> known_jobs() const;
  // What ended deployments have left to be done: see write_left(). The oldest first.
  struct Left {
    std::int64_t id = 0;
    InstalledSet before;  // empty where its uninstall steps are done
    Configurations configurations;
  };
  [[nodiscard]] std::vector<Left> left() const;
  // Counts one more beginning of the state's work, after a restart.
  void count_attempt(DeploymentRecord& record);

  // Inside the caller's transaction, on any thread. A move may share it with what must happen with
  // it: the configuration that goes live with ACTIVATING, the outbox entry that reports the end.
  // A new deployment; gives its id.
  [[nodiscard]] std::int64_t begin(store::Transaction& transaction,
                                   const DeploymentRecord& record) const;
  // The record's state, plan, previous configuration and failure.
  void write(store::Transaction& transaction, const DeploymentRecord& record) const;
  static void write_last_good(store::Transaction& transaction, const InstalledSet& set);
  // With the end of a deployment: the uninstall steps of what was in the set before and is not in
  // the last good one, and the clean-up after them. Gives its id.
  [[nodiscard]] static std::int64_t write_left(store::Transaction& transaction, const Left& left);
  static void note_uninstalled(store::Transaction& transaction, std::int64_t id);
  static void forget_left(store::Transaction& transaction, std::int64_t id);

  static constexpr std::int64_t kRowsKept = 50;

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::edge
