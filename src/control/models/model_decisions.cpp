// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_decisions.hpp"

#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTable = R"sql(
CREATE TABLE model_decision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  approval TEXT NOT NULL,
  decider TEXT NOT NULL,
  reason TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  FOREIGN KEY (name, version) REFERENCES model_package (name, version) ON DELETE CASCADE);
CREATE INDEX model_decision_by_package ON model_decision (name, version, id);
)sql";

}  // namespace

void migrate_model_decisions(store::Database& database) {
  database.migrate("model-decisions", {{"0001-model-decisions", kTable}});
}

void add_decision(store::Transaction& tx, const ModelPackageId& id, const ModelDecision& decision) {
  tx.execute(
      "INSERT INTO model_decision (name, version, approval, decider, reason, time_ms) VALUES ($1, "
      "$2, $3, $4, $5, $6)",
      {id.name, id.version, std::string(to_string(decision.approval)), decision.by, decision.reason,
       to_stored(decision.time)});
  tx.execute(
      "DELETE FROM model_decision WHERE name = $1 AND version = $2 AND id <= (SELECT id FROM "
      "model_decision WHERE name = $1 AND version = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)",
      {id.name, id.version, kMostDecisions});
}

std::vector<ModelDecision> decisions_of(store::Transaction& tx, const ModelPackageId& id) {
  std::vector<ModelDecision> decisions;
  for (const store::Row& row :
       tx.query("SELECT approval, decider, reason, time_ms FROM model_decision WHERE name = $1 AND "
                "version = $2 ORDER BY id DESC",
                {id.name, id.version})) {
    decisions.push_back(
        {.approval = parse_approval_status(row.text(0)).value_or(ApprovalStatus::pending),
         .by = row.text(1),
         .reason = row.text(2),
         .time = stored_time(row.integer(3))});
  }
  return decisions;
}

}  // namespace andon::control
