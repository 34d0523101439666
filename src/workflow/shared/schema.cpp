// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970, documents are JSON as text, words of AWS's model are stored
// as AWS writes them. An execution's number says when it was made and never comes twice.
#include "workflow/shared/schema.hpp"

namespace andon::workflow {
namespace {

constexpr std::string_view kMachines = R"sql(
CREATE TABLE machines (
  arn TEXT NOT NULL PRIMARY KEY,      -- without version or alias
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,                 -- STANDARD, EXPRESS
  status TEXT NOT NULL,               -- ACTIVE, DELETING
  revision TEXT NOT NULL,             -- of machine_revisions
  next_version BIGINT NOT NULL,       -- a number is never used again
  created_ms BIGINT NOT NULL
);
-- Never changed once written: executions go on with the one that they began with, and may outlive
-- their machine.
CREATE TABLE machine_revisions (
  id TEXT NOT NULL PRIMARY KEY,
  machine TEXT NOT NULL,
  revision_id TEXT NOT NULL,          -- as clients see it; empty for a machine's first
  definition TEXT NOT NULL,
  role TEXT NOT NULL,
  logging TEXT NOT NULL,
  tracing TEXT NOT NULL,
  encryption TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TABLE machine_versions (
  machine TEXT NOT NULL,
  version BIGINT NOT NULL,
  revision TEXT NOT NULL,
  description TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (machine, version)
);
CREATE TABLE machine_aliases (
  machine TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  routes TEXT NOT NULL,               -- [{"stateMachineVersionArn", "weight"}]
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (machine, name)
);
CREATE TABLE activities (
  arn TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_ms BIGINT NOT NULL
);
CREATE TABLE workflow_tags (
  arn TEXT NOT NULL,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (arn, tag_key)
);
)sql";

constexpr std::string_view kExecutions = R"sql(
CREATE TABLE executions (
  id BIGINT NOT NULL PRIMARY KEY,
  arn TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  machine TEXT NOT NULL,              -- unqualified; of a map's child M/LABEL
  revision TEXT NOT NULL,
  version TEXT NOT NULL,              -- the ARN that it was started with, or empty
  alias TEXT NOT NULL,                -- likewise
  status TEXT NOT NULL,
  start_ms BIGINT NOT NULL,
  stop_ms BIGINT,
  listed_ms BIGINT NOT NULL,          -- running: started or redriven; else stopped
  input TEXT NOT NULL,
  output TEXT,
  error TEXT,
  cause TEXT,
  trace_header TEXT NOT NULL,
  parent BIGINT NOT NULL,             -- the execution that waits for it, or 0
  parent_branch BIGINT NOT NULL,
  parent_index BIGINT NOT NULL,
  map_run TEXT NOT NULL,
  item_count BIGINT NOT NULL,
  redrive_count BIGINT NOT NULL,
  redrive_ms BIGINT,
  last_event BIGINT NOT NULL,
  sequence BIGINT NOT NULL,           -- of its last commit: a step upon an older one is refused
  resumes BIGINT NOT NULL,            -- 1: there is more to do without waiting for anything
  owner TEXT                          -- of workers: who has its tasks in hand; null: it only waits
);
CREATE INDEX executions_listed ON executions (machine, status, listed_ms, id);
CREATE INDEX executions_owned ON executions (owner) WHERE owner IS NOT NULL;
CREATE INDEX executions_map_run ON executions (map_run, status, listed_ms, id) WHERE map_run <> '';
CREATE INDEX executions_stopped ON executions (stop_ms) WHERE stop_ms IS NOT NULL;
-- Processes that run executions, and until when they may: the lease of all that they own. Who finds
-- one that ran out takes over.
CREATE TABLE workers (
  id TEXT NOT NULL PRIMARY KEY,
  lease_ms BIGINT NOT NULL
);
-- What the language needs to go on, in records; none once it has ended.
CREATE TABLE execution_state (
  execution BIGINT NOT NULL,
  record TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (execution, record)
);
CREATE TABLE execution_events (
  execution BIGINT NOT NULL,
  first_event BIGINT NOT NULL,
  last_event BIGINT NOT NULL,
  body TEXT NOT NULL,                 -- a list of events, as GetExecutionHistory gives them
  PRIMARY KEY (execution, first_event)
);
CREATE TABLE timers (
  execution BIGINT NOT NULL,
  timer BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  PRIMARY KEY (execution, timer)
);
CREATE INDEX timers_due ON timers (due_ms);
-- What an execution has asked for and has no answer to: the outbox, and what is under way.
CREATE TABLE tasks (
  execution BIGINT NOT NULL,
  kind TEXT NOT NULL,                 -- task, items, child, results
  number BIGINT NOT NULL,             -- of the task; of the branch; of the child
  branch BIGINT NOT NULL,
  phase TEXT NOT NULL,                -- queued, submitted
  body TEXT NOT NULL,
  token TEXT,                         -- where an answer may come from outside
  activity TEXT,
  child TEXT,                         -- ARN of the child execution
  queued BIGINT NOT NULL,             -- the order in which an activity's workers get them
  PRIMARY KEY (execution, kind, number, branch)
);
CREATE UNIQUE INDEX tasks_token ON tasks (token) WHERE token IS NOT NULL;
CREATE INDEX tasks_activity ON tasks (activity, queued) WHERE activity IS NOT NULL;
CREATE TABLE ended_tokens (
  token TEXT NOT NULL PRIMARY KEY,
  execution BIGINT NOT NULL
);
CREATE INDEX ended_tokens_execution ON ended_tokens (execution);
-- Executions that must end because their parent or their machine did.
CREATE TABLE stops (
  arn TEXT NOT NULL PRIMARY KEY
);
CREATE TABLE map_runs (
  arn TEXT NOT NULL PRIMARY KEY,
  execution BIGINT NOT NULL,
  branch BIGINT NOT NULL,
  status TEXT NOT NULL,
  start_ms BIGINT NOT NULL,
  stop_ms BIGINT,
  max_concurrency BIGINT NOT NULL,
  tolerated_count BIGINT NOT NULL,
  tolerated_percentage DOUBLE PRECISION NOT NULL,
  counts TEXT NOT NULL,               -- {"total", "started", "failed", ...} of items
  redrive_count BIGINT NOT NULL,
  redrive_ms BIGINT
);
CREATE INDEX map_runs_execution ON map_runs (execution, start_ms);
CREATE TABLE redrive_tokens (
  execution BIGINT NOT NULL,
  token TEXT NOT NULL,
  redrive_ms BIGINT NOT NULL,
  PRIMARY KEY (execution, token)
);
)sql";

constexpr std::string_view kRunning = R"sql(
CREATE INDEX executions_running ON executions (id) WHERE stop_ms IS NULL;
)sql";

// For the event bus: each status that an execution of its own came to.
constexpr std::string_view kStatusChanges = R"sql(
CREATE TABLE status_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  execution BIGINT NOT NULL,
  status TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
)sql";

}  // namespace

void migrate_schema(store::Database& database) {
  database.migrate("workflow", {{"machines", kMachines},
                                {"executions", kExecutions},
                                {"running", kRunning},
                                {"status changes", kStatusChanges}});
}

}  // namespace andon::workflow
