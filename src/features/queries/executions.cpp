// SPDX-License-Identifier: Apache-2.0
#include "features/queries/executions.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/id.hpp"

namespace andon::features {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using store::Row;
using store::SqlValue;
using store::Transaction;

constexpr std::pair<std::string_view, QueryState> kStates[] = {
    {"QUEUED", QueryState::queued},       {"RUNNING", QueryState::running},
    {"SUCCEEDED", QueryState::succeeded}, {"FAILED", QueryState::failed},
    {"CANCELLED", QueryState::cancelled},
};

constexpr std::string_view kSelect =
    "SELECT number, id, state, request, tables, denied, bucket, object, etag, columns, reason, "
    "error_category, submitted_ms, started_ms, completed_ms, scanned_bytes FROM fs_queries ";

std::string to_stored(const QueryRequest& request) {
  return base::to_text(json::object{{"sql", request.sql},
                                    {"database", request.database},
                                    {"catalog", request.catalog},
                                    {"output", request.output_location}});
}

std::string to_stored(const std::vector<ResultColumn>& columns) {
  json::array stored;
  for (const ResultColumn& one : columns) stored.push_back(json::array{one.name, one.type});
  return base::to_text(stored);
}

std::optional<base::Timestamp> time_of(const Row& row, std::size_t column) {
  const auto millis = row.optional_integer(column);
  return millis ? std::optional(base::from_epoch_millis(*millis)) : std::nullopt;
}

QueryExecution read_execution(const Row& row) {
  QueryExecution one{.number = row.integer(0), .id = row.text(1)};
  one.state =
      std::ranges::find(kStates, row.text(2), [](const auto& s) { return s.first; })->second;
  const json::value request = base::parse_json(row.text(3), "stored query");
  const auto text = [&](const char* key) { return std::string(request.at(key).as_string()); };
  one.request = {text("sql"), text("database"), text("catalog"), text("output")};
  const json::value tables = base::parse_json(row.text(4), "stored query");
  for (const json::value& id : tables.as_array()) one.tables.push_back(id.as_int64());
  const json::value denied = base::parse_json(row.text(5), "stored query");
  for (const auto& [table, why] : denied.as_object()) one.denied[table] = why.as_string();
  one.bucket = row.text(6);
  one.object = row.text(7);
  one.etag = row.text(8);
  const json::value columns = base::parse_json(row.text(9), "stored query");
  for (const json::value& column : columns.as_array()) {
    one.columns.push_back(
        {std::string(column.at(0).as_string()), std::string(column.at(1).as_string())});
  }
  one.reason = row.text(10);
  one.error_category = static_cast<int>(row.integer(11));
  one.submitted = base::from_epoch_millis(row.integer(12));
  one.started = time_of(row, 13);
  one.completed = time_of(row, 14);
  one.scanned_bytes = row.integer(15);
  return one;
}

}  // namespace

std::string_view to_string(QueryState state) {
  return std::ranges::find(kStates, state, [](const auto& row) { return row.second; })->first;
}

QueryExecution Executions::add(QueryExecution execution, const std::optional<std::string>& token) {
  json::array tables;
  for (const std::int64_t id : execution.tables) tables.emplace_back(id);
  json::object denied;
  for (const auto& [table, why] : execution.denied) denied[table] = why;
  return database_.write([&](Transaction& tx) {
    if (token) {
      const auto row = tx.query_one(std::string(kSelect) + "WHERE token = $1", {*token});
      if (row) {
        if (row->text(3) == to_stored(execution.request)) return read_execution(*row);
        throw Error(ErrorCode::invalid_argument,
                    "Idempotent parameters do not match: ClientRequestToken was used for another "
                    "query");
      }
    }
    const auto open =
        tx.query_one("SELECT count(*) FROM fs_queries WHERE state IN ('QUEUED', 'RUNNING')");
    if (open->integer(0) >= kMostOpenQueries) {
      throw Error(ErrorCode::resource_exhausted,
                  "You have exceeded the limit for the number of queries you can run "
                  "concurrently. Please reduce the number of concurrent queries submitted by this "
                  "account (at most " +
                      std::to_string(kMostOpenQueries) + " wait or run).");
    }
    execution.submitted = clock_.now();
    tx.execute(
        "INSERT INTO fs_queries (id, state, request, token, tables, denied, bucket, object, etag, "
        "columns, reason, error_category, submitted_ms, scanned_bytes) VALUES ($1, 'QUEUED', $2, "
        "$3, $4, $5, $6, $7, '', '[]', '', 0, $8, 0)",
        {execution.id, to_stored(execution.request), token ? SqlValue(*token) : SqlValue(),
         base::to_text(tables), base::to_text(denied), execution.bucket, execution.object,
         base::to_epoch_millis(execution.submitted)});
    tx.execute(
        "DELETE FROM fs_queries WHERE number <= (SELECT max(number) FROM fs_queries) - $1 AND "
        "state NOT "
        "IN ('QUEUED', 'RUNNING')",
        {kMostQueries});
    return read_execution(*tx.query_one(std::string(kSelect) + "WHERE id = $1", {execution.id}));
  });
}

std::optional<QueryExecution> Executions::find(const std::string& id) const {
  return database_.read([&](Transaction& tx) -> std::optional<QueryExecution> {
    const auto row = tx.query_one(std::string(kSelect) + "WHERE id = $1", {id});
    if (!row) return std::nullopt;
    return read_execution(*row);
  });
}

std::vector<QueryExecution> Executions::list(std::int64_t before, std::size_t limit) const {
  constexpr std::int64_t kAll = std::int64_t{1} << 62U;
  return database_.read([&](Transaction& tx) {
    std::vector<QueryExecution> found;
    for (const Row& row :
         tx.query(std::string(kSelect) + "WHERE number < $1 ORDER BY number DESC LIMIT $2",
                  {before == 0 ? kAll : before, static_cast<std::int64_t>(limit)})) {
      found.push_back(read_execution(row));
    }
    return found;
  });
}

std::optional<QueryExecution> Executions::take_next() {
  return database_.write([&](Transaction& tx) -> std::optional<QueryExecution> {
    const auto row =
        tx.query_one(std::string(kSelect) + "WHERE state = 'QUEUED' ORDER BY number LIMIT 1");
    if (!row) return std::nullopt;
    QueryExecution one = read_execution(*row);
    one.state = QueryState::running;
    one.started = clock_.now();
    tx.execute("UPDATE fs_queries SET state = 'RUNNING', started_ms = $2 WHERE number = $1",
               {one.number, base::to_epoch_millis(*one.started)});
    return one;
  });
}

void Executions::requeue() {
  database_.write([](Transaction& tx) {
    tx.execute("UPDATE fs_queries SET state = 'QUEUED', started_ms = NULL WHERE state = 'RUNNING'");
  });
}

bool Executions::finish(const QueryExecution& execution) {
  return database_.write([&](Transaction& tx) {
    return tx.execute(
               "UPDATE fs_queries SET state = $2, reason = $3, error_category = $4, columns = $5, "
               "etag = $6, scanned_bytes = $7, completed_ms = $8 WHERE id = $1 AND state IN "
               "('QUEUED', 'RUNNING')",
               {execution.id, std::string(to_string(execution.state)), execution.reason,
                std::int64_t{execution.error_category}, to_stored(execution.columns),
                execution.etag, execution.scanned_bytes, base::to_epoch_millis(clock_.now())}) > 0;
  });
}

std::int64_t Executions::sweep(std::int64_t limit) {
  return database_.write([&](Transaction& tx) {
    return tx.execute(
        "DELETE FROM fs_queries WHERE number IN (SELECT number FROM fs_queries WHERE submitted_ms "
        "< $1 "
        "AND state NOT IN ('QUEUED', 'RUNNING') ORDER BY submitted_ms LIMIT $2)",
        {base::to_epoch_millis(clock_.now() - kQueriesKept), limit});
  });
}

}  // namespace andon::features
