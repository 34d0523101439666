// SPDX-License-Identifier: Apache-2.0
// The deployments of this device in config.db: the one in hand with its state, plan and failure,
// and the last good set of components. Every move is durable before it returns. Main thread only.
// A row is kept after its end, so that a job that is delivered twice is known.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "edge/configuration_store.hpp"
#include "edge/deployment_failure.hpp"
#include "edge/deployment_state.hpp"
#include "edge/installed_set.hpp"
#include "store/database.hpp"

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

  // The new deployment, in state RECEIVED. `also` runs in the same transaction.
  [[nodiscard]] DeploymentRecord begin(const std::string& job_id, std::int64_t queued_at,
                                       const std::string& document,
                                       const std::function<void(store::Transaction&)>& also = {});
  // The one that has not ended, if there is one.
  [[nodiscard]] std::optional<DeploymentRecord> unfinished() const;
  // The newest one, ended or not.
  [[nodiscard]] std::optional<DeploymentRecord> latest() const;
  [[nodiscard]] bool knows(const std::string& job_id, std::int64_t queued_at) const;

  // Writes the record's plan, previous configuration and failure with its new state. `also` runs
  // in the same transaction (the configuration that goes live with ACTIVATING, the outbox entry
  // that reports the end).
  void move(DeploymentRecord& record, DeploymentState next,
            const std::function<void(store::Transaction&)>& also = {});
  // Counts one more beginning of the state's work, after a restart.
  void count_attempt(DeploymentRecord& record);

  [[nodiscard]] InstalledSet last_good() const;
  static void write_last_good(store::Transaction& transaction, const InstalledSet& set);

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::edge
