// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/deployment_end.hpp"

#include "base/log/log.hpp"
#include "control/deployments/deployment_shadow.hpp"
#include "control/deployments/rollout_rules.hpp"
#include "control/deployments/rollouts.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {

void end_deployment(store::Transaction& tx, const std::string& id, std::string_view reason,
                    base::Timestamp now) {
  tx.execute(
      "UPDATE deployments SET state = 'CANCELED', ended_ms = $2, ended_reason = $3 WHERE id = $1",
      {id, to_stored(now), std::string(reason)});
  open_rollout(tx, id, reason);
  step_rollout(tx, id, kFirstStep, now);
  const auto row = tx.query_one("SELECT target, document FROM deployments WHERE id = $1", {id});
  const auto target = parse_target_key(row->text(0));
  if (!target || target->kind != Target::Kind::thing) return;
  set_desired_deployment(tx, target->name, row->text(1), fleet::JobStatus::canceled, now);
  Outbox::append(tx, kShadowChanged, target->name, now);
}

bool abort_where_due(store::Transaction& tx, const std::string& id, base::Timestamp now) {
  const auto row = tx.query_one(
      "SELECT d.job_configuration FROM deployments d WHERE d.id = $1 AND d.state = 'CURRENT' "
      "AND d.job_configuration <> '' AND EXISTS (SELECT 1 FROM job_executions f "
      "WHERE f.job_id = d.id AND f.status IN ('FAILED', 'REJECTED', 'TIMED_OUT'))",
      {id});
  if (!row) return false;
  const fleet::JobConfiguration configuration = stored_job_configuration(row->text(0));
  if (configuration.abort.empty()) return false;
  const fleet::JobCounts counts = count_executions(tx, id);
  const auto criterion = fleet::find_abort(configuration, counts);
  if (!criterion) return false;
  const std::string reason = fleet::describe_abort(*criterion, counts);
  end_deployment(tx, id, reason, now);
  base::log_warning("deployment aborted", {{"deployment", id}, {"reason", reason}});
  return true;
}

}  // namespace andon::control
