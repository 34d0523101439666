// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/schema.hpp"

namespace andon::workflow {
namespace {

constexpr std::string_view kPipelines = R"sql(
CREATE TABLE pipelines (
  name TEXT NOT NULL PRIMARY KEY,
  display_name TEXT NOT NULL,
  description TEXT NOT NULL,
  role TEXT NOT NULL,
  definition TEXT NOT NULL,
  most_at_once BIGINT,
  machine TEXT NOT NULL UNIQUE,
  client_token TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  last_run_ms BIGINT
);
CREATE INDEX pipelines_created ON pipelines (created_ms, name);
CREATE TABLE pipeline_executions (
  id TEXT NOT NULL PRIMARY KEY,
  pipeline TEXT NOT NULL,
  display_name TEXT NOT NULL,
  description TEXT NOT NULL,
  role TEXT NOT NULL,
  definition TEXT NOT NULL,
  client_token TEXT NOT NULL,
  parameters TEXT NOT NULL,
  parameter_values TEXT NOT NULL,
  most_at_once BIGINT,
  status TEXT NOT NULL,
  failure_reason TEXT NOT NULL,
  machine_execution TEXT NOT NULL UNIQUE,
  started_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX pipeline_executions_token ON pipeline_executions (pipeline, client_token);
CREATE INDEX pipeline_executions_started ON pipeline_executions (pipeline, started_ms, id);
CREATE INDEX pipeline_executions_open ON pipeline_executions (id)
  WHERE status IN ('Executing', 'Stopping');
CREATE TABLE pipeline_steps (
  execution TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT,
  failure_reason TEXT NOT NULL,
  metadata TEXT NOT NULL,
  properties TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  task TEXT NOT NULL,
  PRIMARY KEY (execution, name)
);
)sql";

}  // namespace

void migrate_pipeline_schema(store::Database& database) {
  database.migrate("pipelines", {{"pipelines", kPipelines}});
}

}  // namespace andon::workflow
