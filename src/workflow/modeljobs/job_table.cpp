// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/job_table.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::workflow {
namespace {

constexpr std::string_view kColumns =
    "kind, name, id, arn, request, status, progress, created_ms, modified_ms, started_ms, ended_ms";
constexpr std::int64_t kMostJobs = 100'000;

json::value progress_of(const ModelJob& job) {
  json::array transitions;
  for (const Transition& one : job.transitions) {
    json::object told{{"status", one.status},
                      {"startedMs", base::to_epoch_millis(one.started)},
                      {"message", one.message}};
    if (one.ended) told["endedMs"] = base::to_epoch_millis(*one.ended);
    transitions.push_back(std::move(told));
  }
  json::array metrics;
  for (const FinalMetric& metric : job.metrics) {
    metrics.push_back({{"name", metric.name}, {"value", metric.value}});
  }
  return json::object{{"transitions", std::move(transitions)},
                      {"metrics", std::move(metrics)},
                      {"failureReason", job.failure_reason},
                      {"exitMessage", job.exit_message}};
}

void read_progress(const json::value& progress, ModelJob& job) {
  const base::JsonReader reader(progress, "a job's progress");
  for (const base::JsonReader& one : reader.children("transitions")) {
    Transition transition{.status = one.string("status"),
                          .started = base::from_epoch_millis(one.integer("startedMs")),
                          .ended = std::nullopt,
                          .message = one.string("message")};
    if (const auto ended = one.optional_integer("endedMs")) {
      transition.ended = base::from_epoch_millis(*ended);
    }
    job.transitions.push_back(std::move(transition));
  }
  for (const base::JsonReader& one : reader.children("metrics")) {
    job.metrics.push_back(
        {.name = one.string("name"), .value = one.optional_number("value").value_or(0)});
  }
  job.failure_reason = reader.string("failureReason");
  job.exit_message = reader.string("exitMessage");
}

ModelJob read_job(const store::Row& row) {
  constexpr std::size_t kMost = 8U << 20U;
  ModelJob job;
  job.kind = row.text(0) == "training" ? ModelJobKind::training : ModelJobKind::processing;
  job.name = row.text(1);
  job.id = row.text(2);
  job.arn = row.text(3);
  const base::JsonLimits limits{.max_bytes = kMost, .max_depth = 100};
  job.request = base::parse_json(row.text(4), "a job's request", limits).as_object();
  const auto status = parse_model_job_status(row.text(5));
  if (!status) {
    throw base::Error(base::ErrorCode::data_corrupted, "a job has no status: " + job.arn);
  }
  job.status = *status;
  read_progress(base::parse_json(row.text(6), "a job's progress", limits), job);
  job.created = base::from_epoch_millis(row.integer(7));
  job.modified = base::from_epoch_millis(row.integer(8));
  if (!row.is_null(9)) job.started = base::from_epoch_millis(row.integer(9));
  if (!row.is_null(10)) job.ended = base::from_epoch_millis(row.integer(10));
  return job;
}

store::SqlValue millis_or_null(const std::optional<base::Timestamp>& time) {
  return time ? store::SqlValue(base::to_epoch_millis(*time)) : store::SqlValue();
}

std::string select(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM model_jobs " + std::string(rest);
}

std::optional<ModelJob> one_of(store::Transaction& tx, std::string_view rest,
                               const std::vector<store::SqlValue>& values) {
  const auto row = tx.query_one(select(rest), values);
  return row ? std::optional(read_job(*row)) : std::nullopt;
}

}  // namespace

bool ModelJobTable::insert(const ModelJob& job) {
  return database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM model_jobs WHERE kind = $1 AND name = $2",
                     {std::string(to_string(job.kind)), job.name})) {
      return false;
    }
    if (tx.query_one("SELECT count(*) FROM model_jobs")->integer(0) >= kMostJobs) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "there are 100000 processing and training jobs; those that have ended go "
                        "with --keep-executions");
    }
    tx.execute(
        "INSERT INTO model_jobs (kind, name, id, arn, request, status, progress, created_ms, "
        "modified_ms, started_ms, ended_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        {std::string(to_string(job.kind)), job.name, job.id, job.arn, base::to_text(job.request),
         std::string(to_string(job.status)), base::to_text(progress_of(job)),
         base::to_epoch_millis(job.created), base::to_epoch_millis(job.modified),
         millis_or_null(job.started), millis_or_null(job.ended)});
    return true;
  });
}

std::optional<ModelJob> ModelJobTable::find(ModelJobKind kind, const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    return one_of(tx, "WHERE kind = $1 AND name = $2", {std::string(to_string(kind)), name});
  });
}

std::optional<ModelJob> ModelJobTable::find_id(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) { return one_of(tx, "WHERE id = $1", {id}); });
}

std::vector<ModelJob> ModelJobTable::open_jobs() const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<ModelJob> jobs;
    for (const auto& row : tx.query(select("WHERE ended_ms IS NULL ORDER BY created_ms, name"))) {
      jobs.push_back(read_job(row));
    }
    return jobs;
  });
}

Listed<ModelJob> ModelJobTable::list(const ModelJobFilter& filter, const PageOf& page) const {
  using Sort = ModelJobFilter::Sort;
  const std::vector<std::string> columns =
      filter.sort == Sort::by_name     ? std::vector<std::string>{"name"}
      : filter.sort == Sort::by_status ? std::vector<std::string>{"status", "name"}
                                       : std::vector<std::string>{"created_ms", "name"};
  store::PagedQuery query(kColumns, "model_jobs", columns, filter.order, page.limit, page.after);
  query.add_condition("kind = $", std::string(to_string(filter.kind)));
  const auto add_time = [&query](std::string_view condition,
                                 const std::optional<base::Timestamp>& time) {
    if (time) query.add_condition(condition, base::to_epoch_millis(*time));
  };
  add_time("created_ms > $", filter.created_after);
  add_time("created_ms < $", filter.created_before);
  add_time("modified_ms > $", filter.modified_after);
  add_time("modified_ms < $", filter.modified_before);
  if (!filter.name_contains.empty()) {
    query.add_condition("instr(name, $", filter.name_contains, ") > 0");
  }
  if (filter.status) query.add_condition("status = $", std::string(to_string(*filter.status)));
  Listed<ModelJob> listed;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query(query.sql(), query.values())) {
      if (listed.items.size() == page.limit) {
        const ModelJob& last = listed.items.back();
        json::array key;
        if (filter.sort == Sort::by_status) key.emplace_back(to_string(last.status));
        if (filter.sort == Sort::by_creation_time) {
          key.emplace_back(base::to_epoch_millis(last.created));
        }
        key.emplace_back(last.name);
        listed.next = store::PagedQuery::page_key(key);
        return;
      }
      listed.items.push_back(read_job(row));
    }
  });
  return listed;
}

std::optional<ModelJob> ModelJobTable::change(const std::string& id,
                                              const std::function<void(ModelJob&)>& change) {
  return database_.write([&](store::Transaction& tx) {
    auto job = one_of(tx, "WHERE id = $1 AND ended_ms IS NULL", {id});
    if (!job) return job;
    change(*job);
    tx.execute(
        "UPDATE model_jobs SET status = $2, progress = $3, modified_ms = $4, started_ms = $5, "
        "ended_ms = $6 WHERE id = $1",
        {id, std::string(to_string(job->status)), base::to_text(progress_of(*job)),
         base::to_epoch_millis(job->modified), millis_or_null(job->started),
         millis_or_null(job->ended)});
    return job;
  });
}

std::size_t ModelJobTable::forget(base::Timestamp before, std::size_t most) {
  return database_.write([&](store::Transaction& tx) {
    return static_cast<std::size_t>(tx.execute(
        "DELETE FROM model_jobs WHERE id IN (SELECT id FROM model_jobs WHERE ended_ms < $1 LIMIT "
        "$2)",
        {base::to_epoch_millis(before), static_cast<std::int64_t>(most)}));
  });
}

}  // namespace andon::workflow
