// SPDX-License-Identifier: Apache-2.0
// Executions of jobs lie beside those of deployments, in the one table that devices work off; so
// that table refers to neither, and triggers do what a reference did. What a device says marks the
// job, and who joins a group has a continuous job look through its targets once more.
#include "control/jobs/job_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kExecutions = R"sql(
CREATE TABLE executions (
  job_id TEXT NOT NULL,          -- of deployments or of iot_jobs
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  version BIGINT NOT NULL,
  execution_number BIGINT NOT NULL,
  queued_ms BIGINT NOT NULL,
  started_ms BIGINT,
  updated_ms BIGINT NOT NULL,
  retries BIGINT NOT NULL DEFAULT 0,  -- how often it was tried again by itself
  PRIMARY KEY (job_id, thing)
);
INSERT INTO executions SELECT job_id, thing, status, status_details, version, execution_number,
  queued_ms, started_ms, updated_ms, 0 FROM job_executions;
DROP TABLE job_executions;
ALTER TABLE executions RENAME TO job_executions;
CREATE INDEX job_executions_thing ON job_executions (thing, status);
CREATE INDEX job_executions_job_status ON job_executions (job_id, status);
CREATE INDEX job_executions_pending ON job_executions (thing)
  WHERE status IN ('IN_PROGRESS', 'QUEUED');
CREATE INDEX job_executions_started ON job_executions (started_ms) WHERE status = 'IN_PROGRESS';
CREATE TRIGGER deployment_deleted AFTER DELETE ON deployments BEGIN
  DELETE FROM job_executions WHERE job_id = OLD.id;
END;
)sql";

constexpr std::string_view kJobs = R"sql(
CREATE TABLE iot_jobs (
  id TEXT NOT NULL PRIMARY KEY,
  targets TEXT NOT NULL,         -- JSON: thing/<name>, thinggroup/<name>
  selection TEXT NOT NULL,       -- SNAPSHOT, CONTINUOUS
  document TEXT NOT NULL,
  document_source TEXT NOT NULL,
  description TEXT NOT NULL,
  configuration TEXT NOT NULL,   -- JSON, as it was given
  timeout_ms BIGINT,             -- of it: for one device, in progress
  template_arn TEXT NOT NULL,
  state TEXT NOT NULL,           -- IN_PROGRESS, CANCELED, COMPLETED, DELETION_IN_PROGRESS
  reason_code TEXT NOT NULL DEFAULT '',
  comment TEXT NOT NULL DEFAULT '',
  is_forced BIGINT NOT NULL DEFAULT 0,  -- also what devices work on is canceled
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  completed_ms BIGINT,
  rolling BIGINT NOT NULL DEFAULT 1,    -- devices of its targets have still to get it
  target_index BIGINT NOT NULL DEFAULT 0,
  position TEXT NOT NULL DEFAULT '',    -- the last thing of that target that was looked at
  pace_ms BIGINT NOT NULL DEFAULT 0,    -- nobody gets it before
  has_news BIGINT NOT NULL DEFAULT 0    -- an execution has changed
);
CREATE INDEX iot_jobs_created ON iot_jobs (created_ms, id);
CREATE INDEX iot_jobs_completed ON iot_jobs (completed_ms) WHERE completed_ms IS NOT NULL;
CREATE INDEX iot_jobs_rolling ON iot_jobs (pace_ms) WHERE rolling = 1;
CREATE INDEX iot_jobs_news ON iot_jobs (id) WHERE has_news = 1;
CREATE INDEX iot_jobs_continuous ON iot_jobs (id)
  WHERE selection = 'CONTINUOUS' AND state = 'IN_PROGRESS';
CREATE TABLE iot_job_templates (
  id TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL,
  document_source TEXT NOT NULL,
  description TEXT NOT NULL,
  configuration TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TRIGGER iot_job_deleted AFTER DELETE ON iot_jobs BEGIN
  DELETE FROM job_executions WHERE job_id = OLD.id;
END;
CREATE TRIGGER iot_job_execution_changed AFTER UPDATE OF status ON job_executions
  WHEN NEW.status <> OLD.status BEGIN
  UPDATE iot_jobs SET has_news = 1 WHERE id = NEW.job_id;
END;
CREATE TRIGGER iot_job_execution_deleted AFTER DELETE ON job_executions BEGIN
  UPDATE iot_jobs SET has_news = 1 WHERE id = OLD.job_id;
END;
CREATE TRIGGER iot_job_joined AFTER INSERT ON thing_group_members BEGIN
  UPDATE iot_jobs SET rolling = 1, target_index = 0, position = ''
    WHERE selection = 'CONTINUOUS' AND state = 'IN_PROGRESS';
END;
)sql";

// Nobody gets a scheduled job before its start: pace_ms is that, or the next maintenance window.
constexpr std::string_view kSchedules = R"sql(
ALTER TABLE iot_jobs ADD COLUMN end_ms BIGINT;  -- that lies ahead
ALTER TABLE iot_jobs ADD COLUMN is_ended BIGINT NOT NULL DEFAULT 0;  -- it has passed
CREATE INDEX iot_jobs_ending ON iot_jobs (end_ms) WHERE end_ms IS NOT NULL;
DROP TRIGGER iot_job_joined;
CREATE TRIGGER iot_job_joined AFTER INSERT ON thing_group_members BEGIN
  UPDATE iot_jobs SET rolling = 1, target_index = 0, position = ''
    WHERE selection = 'CONTINUOUS' AND state = 'IN_PROGRESS' AND is_ended = 0;
END;
)sql";

}  // namespace

void migrate_jobs(store::Database& database) {
  database.migrate(
      "jobs",
      {{"0001-executions", kExecutions}, {"0002-jobs", kJobs}, {"0003-schedules", kSchedules}});
}

}  // namespace andon::control
