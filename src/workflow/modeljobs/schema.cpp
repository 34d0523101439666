// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/schema.hpp"

namespace andon::workflow {
namespace {

constexpr std::string_view kModelJobs = R"sql(
CREATE TABLE model_jobs (
  kind TEXT NOT NULL,                 -- training, processing
  name TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,            -- of the job on this machine
  arn TEXT NOT NULL,
  request TEXT NOT NULL,
  status TEXT NOT NULL,               -- as AWS writes it
  progress TEXT NOT NULL,             -- transitions, metrics, reasons
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  started_ms BIGINT,
  ended_ms BIGINT,
  PRIMARY KEY (kind, name)
);
CREATE INDEX model_jobs_created ON model_jobs (kind, created_ms, name);
CREATE INDEX model_jobs_open ON model_jobs (id) WHERE ended_ms IS NULL;
CREATE INDEX model_jobs_ended ON model_jobs (ended_ms) WHERE ended_ms IS NOT NULL;
)sql";

}  // namespace

void migrate_model_job_schema(store::Database& database) {
  database.migrate("modeljobs", {{"model jobs", kModelJobs}});
}

}  // namespace andon::workflow
