// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/pipeline_table.hpp"

#include "base/error/error.hpp"

namespace andon::workflow {
namespace {

constexpr std::int64_t kMostPipelines = 1000;
constexpr std::int64_t kMostExecutions = 20'000;
constexpr std::string_view kPipelineColumns =
    "name, display_name, description, role, definition, most_at_once, machine, client_token, "
    "created_ms, modified_ms, last_run_ms";
constexpr std::string_view kExecutionColumns =
    "id, pipeline, display_name, description, role, definition, client_token, parameters, "
    "parameter_values, most_at_once, status, failure_reason, machine_execution, started_ms, "
    "modified_ms";
constexpr std::string_view kStepColumns =
    "name, status, started_ms, ended_ms, failure_reason, metadata, properties, attempts, task";

json::value parsed(const std::string& text) {
  constexpr std::size_t kMost = 16U << 20U;
  return base::parse_json(text, "a pipeline's row", {.max_bytes = kMost, .max_depth = 100});
}

std::optional<std::size_t> count_of(const store::Row& row, std::size_t column) {
  const auto count = row.optional_integer(column);
  return count ? std::optional(static_cast<std::size_t>(*count)) : std::nullopt;
}

store::SqlValue count_or_null(const std::optional<std::size_t>& count) {
  return count ? store::SqlValue(static_cast<std::int64_t>(*count)) : store::SqlValue();
}

store::SqlValue millis_or_null(const std::optional<base::Timestamp>& time) {
  return time ? store::SqlValue(base::to_epoch_millis(*time)) : store::SqlValue();
}

std::optional<base::Timestamp> time_or_none(const store::Row& row, std::size_t column) {
  const auto millis = row.optional_integer(column);
  return millis ? std::optional(base::from_epoch_millis(*millis)) : std::nullopt;
}

Pipeline read_pipeline(const store::Row& row) {
  return {.name = row.text(0),
          .display_name = row.text(1),
          .description = row.text(2),
          .role = row.text(3),
          .definition = row.text(4),
          .most_at_once = count_of(row, 5),
          .machine = row.text(6),
          .client_token = row.text(7),
          .created = base::from_epoch_millis(row.integer(8)),
          .modified = base::from_epoch_millis(row.integer(9)),
          .last_run = time_or_none(row, 10)};
}

PipelineExecution read_execution(const store::Row& row) {
  return {.id = row.text(0),
          .pipeline = row.text(1),
          .display_name = row.text(2),
          .description = row.text(3),
          .role = row.text(4),
          .definition = row.text(5),
          .client_token = row.text(6),
          .parameters = parsed(row.text(7)).as_array(),
          .values = parsed(row.text(8)).as_object(),
          .most_at_once = count_of(row, 9),
          .status = row.text(10),
          .failure_reason = row.text(11),
          .machine_execution = row.text(12),
          .started = base::from_epoch_millis(row.integer(13)),
          .modified = base::from_epoch_millis(row.integer(14))};
}

StepRecord read_step(const store::Row& row) {
  return {.name = row.text(0),
          .status = row.text(1),
          .started = base::from_epoch_millis(row.integer(2)),
          .ended = time_or_none(row, 3),
          .failure_reason = row.text(4),
          .metadata = parsed(row.text(5)).as_object(),
          .properties = parsed(row.text(6)).as_object(),
          .attempts = row.integer(7),
          .task = row.text(8)};
}

std::string select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(rest);
}

void add_times(store::PagedQuery& query, const std::string& column, const PipelineFilter& filter) {
  if (filter.created_after) {
    query.add_condition(column + " > $", base::to_epoch_millis(*filter.created_after));
  }
  if (filter.created_before) {
    query.add_condition(column + " < $", base::to_epoch_millis(*filter.created_before));
  }
}

}  // namespace

bool PipelineTable::insert(const Pipeline& one) {
  return database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM pipelines WHERE name = $1", {one.name})) return false;
    if (tx.query_one("SELECT count(*) FROM pipelines")->integer(0) >= kMostPipelines) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "there are 1000 pipelines; delete some");
    }
    tx.execute(
        "INSERT INTO pipelines (name, display_name, description, role, definition, most_at_once, "
        "machine, client_token, created_ms, modified_ms, last_run_ms) VALUES ($1, $2, $3, $4, $5, "
        "$6, $7, $8, $9, $10, $11)",
        {one.name, one.display_name, one.description, one.role, one.definition,
         count_or_null(one.most_at_once), one.machine, one.client_token,
         base::to_epoch_millis(one.created), base::to_epoch_millis(one.modified),
         millis_or_null(one.last_run)});
    return true;
  });
}

std::optional<Pipeline> PipelineTable::find(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(select(kPipelineColumns, "pipelines WHERE name = $1"), {name});
    return row ? std::optional(read_pipeline(*row)) : std::nullopt;
  });
}

void PipelineTable::update(const Pipeline& one) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "UPDATE pipelines SET display_name = $2, description = $3, role = $4, definition = $5, "
        "most_at_once = $6, modified_ms = $7 WHERE name = $1",
        {one.name, one.display_name, one.description, one.role, one.definition,
         count_or_null(one.most_at_once), base::to_epoch_millis(one.modified)});
  });
}

bool PipelineTable::remove(const std::string& name) {
  return database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM pipeline_executions WHERE pipeline = $1 AND status IN "
                     "('Executing', 'Stopping')",
                     {name})) {
      return false;
    }
    tx.execute(
        "DELETE FROM pipeline_steps WHERE execution IN (SELECT id FROM pipeline_executions WHERE "
        "pipeline = $1)",
        {name});
    tx.execute("DELETE FROM pipeline_executions WHERE pipeline = $1", {name});
    tx.execute("DELETE FROM pipelines WHERE name = $1", {name});
    return true;
  });
}

Listed<Pipeline> PipelineTable::list(const PipelineFilter& filter, const PageOf& page) const {
  store::PagedQuery query(kPipelineColumns, "pipelines",
                          filter.by_name ? std::vector<std::string>{"name"}
                                         : std::vector<std::string>{"created_ms", "name"},
                          filter.order, page.limit, page.after);
  add_times(query, "created_ms", filter);
  if (!filter.prefix.empty()) query.add_condition("instr(name, $", filter.prefix, ") = 1");
  Listed<Pipeline> listed;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query(query.sql(), query.values())) {
      if (listed.items.size() == page.limit) {
        const Pipeline& last = listed.items.back();
        json::array key;
        if (!filter.by_name) key.emplace_back(base::to_epoch_millis(last.created));
        key.emplace_back(last.name);
        listed.next = store::PagedQuery::page_key(key);
        return;
      }
      listed.items.push_back(read_pipeline(row));
    }
  });
  return listed;
}

std::optional<PipelineExecution> PipelineTable::insert(const PipelineExecution& one) {
  return database_.write([&](store::Transaction& tx) -> std::optional<PipelineExecution> {
    const auto before = tx.query_one(
        select(kExecutionColumns, "pipeline_executions WHERE pipeline = $1 AND client_token = $2"),
        {one.pipeline, one.client_token});
    if (before) return read_execution(*before);
    if (tx.query_one("SELECT count(*) FROM pipeline_executions")->integer(0) >= kMostExecutions) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "there are 20000 executions of pipelines; those that have ended go with "
                        "--keep-executions");
    }
    tx.execute(
        "INSERT INTO pipeline_executions (id, pipeline, display_name, description, role, "
        "definition, client_token, parameters, parameter_values, most_at_once, status, "
        "failure_reason, machine_execution, started_ms, modified_ms) VALUES ($1, $2, $3, $4, $5, "
        "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        {one.id, one.pipeline, one.display_name, one.description, one.role, one.definition,
         one.client_token, base::to_text(one.parameters), base::to_text(one.values),
         count_or_null(one.most_at_once), one.status, one.failure_reason, one.machine_execution,
         base::to_epoch_millis(one.started), base::to_epoch_millis(one.modified)});
    tx.execute("UPDATE pipelines SET last_run_ms = $2 WHERE name = $1",
               {one.pipeline, base::to_epoch_millis(one.started)});
    return std::nullopt;
  });
}

void PipelineTable::remove_execution(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM pipeline_executions WHERE id = $1", {id});
  });
}

std::optional<PipelineExecution> PipelineTable::find_execution(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one(select(kExecutionColumns, "pipeline_executions WHERE id = $1"), {id});
    return row ? std::optional(read_execution(*row)) : std::nullopt;
  });
}

std::vector<PipelineExecution> PipelineTable::open_executions() const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<PipelineExecution> open;
    for (const auto& row : tx.query(
             select(kExecutionColumns,
                    "pipeline_executions WHERE status IN ('Executing', 'Stopping') ORDER BY id"))) {
      open.push_back(read_execution(row));
    }
    return open;
  });
}

Listed<PipelineExecution> PipelineTable::list_executions(const std::string& pipeline,
                                                         const PipelineFilter& filter,
                                                         const PageOf& page) const {
  store::PagedQuery query(kExecutionColumns, "pipeline_executions",
                          filter.by_name ? std::vector<std::string>{"id"}
                                         : std::vector<std::string>{"started_ms", "id"},
                          filter.order, page.limit, page.after);
  query.add_condition("pipeline = $", pipeline);
  add_times(query, "started_ms", filter);
  Listed<PipelineExecution> listed;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query(query.sql(), query.values())) {
      if (listed.items.size() == page.limit) {
        const PipelineExecution& last = listed.items.back();
        json::array key;
        if (!filter.by_name) key.emplace_back(base::to_epoch_millis(last.started));
        key.emplace_back(last.id);
        listed.next = store::PagedQuery::page_key(key);
        return;
      }
      listed.items.push_back(read_execution(row));
    }
  });
  return listed;
}

void PipelineTable::set_status(const std::string& id, const std::string& status,
                               const std::string& reason, base::Timestamp now) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "UPDATE pipeline_executions SET status = $2, failure_reason = $3, modified_ms = $4 WHERE "
        "id = $1",
        {id, status, reason, base::to_epoch_millis(now)});
  });
}

std::optional<StepRecord> PipelineTable::find_step(const std::string& execution,
                                                   const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one(select(kStepColumns, "pipeline_steps WHERE execution = $1 AND name = $2"),
                     {execution, name});
    return row ? std::optional(read_step(*row)) : std::nullopt;
  });
}

std::vector<StepRecord> PipelineTable::steps(const std::string& execution) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<StepRecord> all;
    for (const auto& row : tx.query(
             select(kStepColumns, "pipeline_steps WHERE execution = $1 ORDER BY started_ms, name"),
             {execution})) {
      all.push_back(read_step(row));
    }
    return all;
  });
}

StepRecord PipelineTable::change_step(
    const std::string& execution, const std::string& name,
    const std::function<void(std::optional<StepRecord>&)>& change) {
  return database_.write([&](store::Transaction& tx) {
    const auto row =
        tx.query_one(select(kStepColumns, "pipeline_steps WHERE execution = $1 AND name = $2"),
                     {execution, name});
    auto step = row ? std::optional(read_step(*row)) : std::nullopt;
    change(step);
    if (!step) return StepRecord{.name = name, .status = "Stopped"};
    tx.execute(
        "INSERT INTO pipeline_steps (execution, name, status, started_ms, ended_ms, "
        "failure_reason, metadata, properties, attempts, task) VALUES ($1, $2, $3, $4, $5, $6, "
        "$7, $8, $9, $10) ON CONFLICT (execution, name) DO UPDATE SET status = excluded.status, "
        "started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, failure_reason = "
        "excluded.failure_reason, metadata = excluded.metadata, properties = excluded.properties, "
        "attempts = excluded.attempts, task = excluded.task",
        {execution, name, step->status, base::to_epoch_millis(step->started),
         millis_or_null(step->ended), step->failure_reason, base::to_text(step->metadata),
         base::to_text(step->properties), step->attempts, step->task});
    return *step;
  });
}

std::size_t PipelineTable::forget(base::Timestamp before, std::size_t most) {
  return database_.write([&](store::Transaction& tx) {
    std::vector<std::string> old;
    for (const auto& row : tx.query(
             "SELECT id FROM pipeline_executions WHERE status NOT IN ('Executing', 'Stopping') AND "
             "modified_ms < $1 LIMIT $2",
             {base::to_epoch_millis(before), static_cast<std::int64_t>(most)})) {
      old.push_back(row.text(0));
    }
    for (const std::string& id : old) {
      tx.execute("DELETE FROM pipeline_steps WHERE execution = $1", {id});
      tx.execute("DELETE FROM pipeline_executions WHERE id = $1", {id});
    }
    return old.size();
  });
}

}  // namespace andon::workflow
