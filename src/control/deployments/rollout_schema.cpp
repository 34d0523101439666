// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/rollout_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kPace = R"sql(
ALTER TABLE deployments ADD COLUMN job_configuration TEXT NOT NULL DEFAULT '';  -- JSON; '': none
ALTER TABLE deployments ADD COLUMN ended_reason TEXT NOT NULL DEFAULT '';  -- for people
ALTER TABLE deployments ADD COLUMN behalf TEXT NOT NULL DEFAULT '';  -- the target, or its parent's
UPDATE deployments SET behalf = target;
CREATE INDEX deployments_behalf ON deployments (behalf, state, created_ms, id);
ALTER TABLE rollouts ADD COLUMN next_ms BIGINT NOT NULL DEFAULT 0;  -- nobody is told before
)sql";

}  // namespace

void migrate_rollouts(store::Database& database) {
  database.migrate("rollouts", {{"0001-pace", kPace}});
}

}  // namespace andon::control
