// SPDX-License-Identifier: Apache-2.0
#include "workflow/executions/executions.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

using store::SqlValue;

constexpr std::array<std::string_view, 5> kStatuses = {"RUNNING", "SUCCEEDED", "FAILED",
                                                       "TIMED_OUT", "ABORTED"};

constexpr std::string_view kColumns =
    "id, arn, name, machine, revision, version, alias, status, start_ms, stop_ms, input, output, "
    "error, cause, trace_header, parent, parent_branch, parent_index, map_run, item_count, "
    "redrive_count, redrive_ms, last_event, sequence";

asl::Status status_of(const std::string& word) {
  const auto found = std::ranges::find(kStatuses, word);
  if (found == kStatuses.end()) {
    throw base::Error(base::ErrorCode::data_corrupted, "an execution of status '" + word + "'");
  }
  return static_cast<asl::Status>(found - kStatuses.begin());
}

std::optional<base::Timestamp> time_of(const store::Row& row, std::size_t column) {
  const auto millis = row.optional_integer(column);
  if (!millis) return std::nullopt;
  return base::from_epoch_millis(*millis);
}

Execution execution_row(const store::Row& row) {
  Execution execution;
  execution.id = row.integer(0);
  execution.arn = row.text(1);
  execution.name = row.text(2);
  execution.machine = row.text(3);
  execution.revision = row.text(4);
  execution.version_arn = row.text(5);
  execution.alias_arn = row.text(6);
  execution.status = status_of(row.text(7));
  execution.started = base::from_epoch_millis(row.integer(8));
  execution.stopped = time_of(row, 9);
  execution.input = row.text(10);
  execution.output = row.optional_text(11);
  execution.error = row.optional_text(12);
  execution.cause = row.optional_text(13);
  execution.trace_header = row.text(14);
  execution.parent = {row.integer(15), row.integer(16), row.integer(17)};
  execution.map_run = row.text(18);
  execution.item_count = row.integer(19);
  execution.redrive_count = row.integer(20);
  execution.redriven = time_of(row, 21);
  execution.last_event = row.integer(22);
  execution.sequence = row.integer(23);
  return execution;
}

// "LISTED:ID", the place of the last item of a page.
struct Place {
  std::int64_t listed = INT64_MAX;
  std::int64_t id = INT64_MAX;
};
Place read_place(const std::string& text) {
  if (text.empty()) return {};
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) throw Refusal("InvalidToken", "Invalid Token: 'Invalid token'");
  return {std::atoll(text.c_str()), std::atoll(text.c_str() + colon + 1)};
}
std::int64_t listed(const Execution& row) {
  return base::to_epoch_millis(row.stopped ? *row.stopped : row.redriven.value_or(row.started));
}

// What is stored was written here, so what does not fit is damage and nobody's wrong request.
template <typename Read>
auto undamaged(std::string_view what, const Read& read) {
  try {
    return read();
  } catch (const std::exception& error) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "a stored " + std::string(what) + " cannot be read: " + error.what() +
                          "; restore a backup (andon-server restore)");
  }
}

// The events of a row, with their numbers.
std::vector<std::pair<std::int64_t, json::object>> stored_events(const std::string& text) {
  constexpr base::JsonLimits kLimits{.max_bytes = 512U << 20U, .max_depth = 16};
  return undamaged("history", [&] {
    json::value parsed = base::parse_json(text, "the list of events", kLimits);
    std::vector<std::pair<std::int64_t, json::object>> events;
    for (json::value& event : parsed.as_array()) {
      const auto id = event.at("id").to_number<std::int64_t>();
      events.emplace_back(id, std::move(event.as_object()));
    }
    return events;
  });
}

MapRunRow map_run_row(const store::Row& row) {
  MapRunRow run;
  run.arn = row.text(0);
  run.execution = row.integer(1);
  run.branch = row.integer(2);
  run.status = row.text(3);
  run.started = base::from_epoch_millis(row.integer(4));
  run.stopped = time_of(row, 5);
  run.max_concurrency = row.integer(6);
  run.tolerated_count = row.integer(7);
  run.tolerated_percentage = row.real(8);
  run.counts = base::parse_json(row.text(9), "a map run's counts").as_object();
  run.redrive_count = row.integer(10);
  run.redriven = time_of(row, 11);
  return run;
}

constexpr std::string_view kMapRunColumns =
    "arn, execution, branch, status, start_ms, stop_ms, max_concurrency, tolerated_count, "
    "tolerated_percentage, counts, redrive_count, redrive_ms";

TaskRow task_row(const store::Row& row, std::size_t at) {
  TaskRow task;
  task.key = {task_kind(row.text(at)), row.integer(at + 1), row.integer(at + 2)};
  task.submitted = row.text(at + 3) == "submitted";
  task.body = undamaged("task", [&] {
    constexpr base::JsonLimits kLimits{.max_bytes = 64U << 20U, .max_depth = 1100};
    return base::parse_json(row.text(at + 4), "its body", kLimits).as_object();
  });
  task.token = row.optional_text(at + 5).value_or("");
  task.activity = row.optional_text(at + 6).value_or("");
  task.child = row.optional_text(at + 7).value_or("");
  return task;
}

constexpr std::string_view kTaskColumns =
    "kind, number, branch, phase, body, token, activity, child";

}  // namespace

void drop_data(json::object& event) {
  for (auto& member : event) {
    auto* details = member.value().if_object();
    if (details == nullptr) continue;
    for (const char* key : {"input", "output", "parameters", "inputDetails", "outputDetails",
                            "assignedVariables", "assignedVariablesDetails"}) {
      details->erase(key);
    }
    // The service model wants `parameters` of a TaskScheduled, and gives it empty.
    if (member.key() == "taskScheduledEventDetails") (*details)["parameters"] = "";
  }
}

std::optional<Execution> Executions::find(store::Transaction& tx, const std::string& arn) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM executions WHERE arn = $1", {arn});
  if (!row) return std::nullopt;
  return execution_row(*row);
}

std::optional<Execution> Executions::find(store::Transaction& tx, std::int64_t id) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM executions WHERE id = $1", {id});
  if (!row) return std::nullopt;
  return execution_row(*row);
}

std::optional<Execution> Executions::find(const std::string& arn) const {
  std::optional<Execution> found;
  database_.read([&](store::Transaction& tx) { found = find(tx, arn); });
  return found;
}

std::optional<Execution> Executions::find(std::int64_t id) const {
  std::optional<Execution> found;
  database_.read([&](store::Transaction& tx) { found = find(tx, id); });
  return found;
}

Execution Executions::require(const std::string& arn) const {
  auto found = find(arn);
  if (!found) {
    throw Refusal("ExecutionDoesNotExist", "Execution Does Not Exist: '" + arn + "'");
  }
  return *std::move(found);
}

Listed<Execution> Executions::list(const ExecutionFilter& filter, const PageOf& page) const {
  const Place place = read_place(page.after);
  std::vector<Execution> found;
  database_.read([&](store::Transaction& tx) {
    for (const std::string_view status : kStatuses) {
      if (!filter.status.empty() && filter.status != status) continue;
      const bool by_run = !filter.map_run.empty();
      std::string sql = "SELECT " + std::string(kColumns) + " FROM executions WHERE " +
                        (by_run ? "map_run = $1 AND map_run <> ''" : "machine = $1") +
                        " AND status = $2 AND (listed_ms < $3 OR (listed_ms = $3 AND id < $4))";
      std::vector<SqlValue> values = {by_run ? filter.map_run : filter.machine, std::string(status),
                                      place.listed, place.id};
      const auto also = [&](const std::string& condition, const std::string& value) {
        if (value.empty()) return;
        values.emplace_back(value);
        sql += " AND " + condition + std::to_string(values.size());
      };
      also("version = $", filter.version_arn);
      also("alias = $", filter.alias_arn);
      if (filter.is_redriven) {
        sql += *filter.is_redriven ? " AND redrive_count > 0" : " AND redrive_count = 0";
      }
      values.emplace_back(static_cast<std::int64_t>(page.limit) + 1);
      sql += " ORDER BY listed_ms DESC, id DESC LIMIT $" + std::to_string(values.size());
      for (const auto& row : tx.query(sql, values)) found.push_back(execution_row(row));
    }
  });
  std::ranges::sort(found, std::greater<>(),
                    [](const Execution& one) { return std::pair(listed(one), one.id); });
  Listed<Execution> result;
  if (found.size() > page.limit) {
    found.resize(page.limit);
    result.next = std::to_string(listed(found.back())) + ":" + std::to_string(found.back().id);
  }
  result.items = std::move(found);
  return result;
}

HistoryPage Executions::history(std::int64_t execution, const HistoryRequest& request) const {
  HistoryPage page;
  std::int64_t last = 0;  // of the page
  std::int64_t end = 0;   // of the history, in the order that was asked for
  const auto wanted = [&request](std::int64_t id) {
    if (request.after == 0) return true;
    return request.reverse ? id < request.after : id > request.after;
  };
  const std::string sql =
      request.reverse
          ? "SELECT first_event, last_event, body FROM execution_events WHERE execution = $1 AND "
            "first_event < $2 ORDER BY first_event DESC LIMIT $3"
          : "SELECT first_event, last_event, body FROM execution_events WHERE execution = $1 AND "
            "last_event > $2 AND first_event >= $4 ORDER BY first_event LIMIT $3";
  database_.read([&](store::Transaction& tx) {
    const auto ends = tx.query_one(
        "SELECT min(first_event), max(last_event) FROM execution_events WHERE execution = $1",
        {execution});
    if (ends->is_null(0)) return;
    end = request.reverse ? ends->integer(0) : ends->integer(1);
    std::int64_t place = request.after;
    if (request.reverse && place == 0) place = INT64_MAX;
    constexpr std::int64_t kRows = 32;  // at a time
    while (page.events.size() < request.limit) {
      std::vector<SqlValue> values = {execution, place, kRows};
      if (!request.reverse) {
        // The row that holds event place + 1, so that the key's order can be used.
        const auto row = tx.query_one(
            "SELECT max(first_event) FROM execution_events WHERE execution = $1 AND first_event <= "
            "$2",
            {execution, place + 1});
        values.emplace_back(row->is_null(0) ? std::int64_t{0} : row->integer(0));
      }
      const auto rows = tx.query(sql, values);
      if (rows.empty()) return;
      for (const auto& row : rows) {
        auto events = stored_events(row.text(2));
        if (request.reverse) std::ranges::reverse(events);
        for (auto& [id, event] : events) {
          if (!wanted(id) || page.events.size() == request.limit) continue;
          if (!request.with_data) drop_data(event);
          last = id;
          page.events.push_back(std::move(event));
        }
        place = request.reverse ? row.integer(0) : row.integer(1);
        if (page.events.size() == request.limit) break;
      }
    }
  });
  if (!page.events.empty() && last != end) page.next = last;
  return page;
}

std::vector<TaskRow> Executions::tasks(std::int64_t execution) const {
  std::vector<TaskRow> found;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT " + std::string(kTaskColumns) +
                                        " FROM tasks WHERE execution = $1 ORDER BY kind, number",
                                    {execution})) {
      found.push_back(task_row(row, 0));
    }
  });
  return found;
}

std::optional<StoredTask> Executions::task_of_token(const std::string& token) const {
  std::optional<StoredTask> found;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT execution, " + std::string(kTaskColumns) + " FROM tasks WHERE token = $1", {token});
    if (row) found = StoredTask{row->integer(0), task_row(*row, 1)};
  });
  return found;
}

bool Executions::token_has_ended(const std::string& token) const {
  bool found = false;
  database_.read([&](store::Transaction& tx) {
    found = tx.query_one("SELECT 1 FROM ended_tokens WHERE token = $1", {token}).has_value();
  });
  return found;
}

std::optional<base::Timestamp> Executions::redrive_of(std::int64_t execution,
                                                      const std::string& token) const {
  std::optional<base::Timestamp> found;
  database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one("SELECT redrive_ms FROM redrive_tokens WHERE execution = $1 AND token = $2",
                     {execution, token});
    if (row) found = base::from_epoch_millis(row->integer(0));
  });
  return found;
}

std::optional<MapRunRow> Executions::find_map_run(const std::string& arn) const {
  std::optional<MapRunRow> found;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT " + std::string(kMapRunColumns) + " FROM map_runs WHERE arn = $1", {arn});
    if (row) found = map_run_row(*row);
  });
  return found;
}

Listed<MapRunRow> Executions::list_map_runs(std::int64_t execution, const PageOf& page) const {
  Listed<MapRunRow> listed;
  database_.read([&](store::Transaction& tx) {
    const auto rows = tx.query("SELECT " + std::string(kMapRunColumns) +
                                   " FROM map_runs WHERE execution = $1 AND arn > $2 ORDER BY arn "
                                   "LIMIT $3",
                               {execution, page.after, static_cast<std::int64_t>(page.limit) + 1});
    for (const auto& row : rows) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().arn;
        break;
      }
      listed.items.push_back(map_run_row(row));
    }
  });
  return listed;
}

std::map<std::string, std::int64_t> Executions::count_children(const std::string& map_run) const {
  std::map<std::string, std::int64_t> counts;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row :
         tx.query("SELECT status, count(*) FROM executions WHERE map_run = $1 AND map_run <> '' "
                  "GROUP BY status",
                  {map_run})) {
      counts[row.text(0)] = row.integer(1);
    }
  });
  return counts;
}

Executions::Waiting Executions::waiting() const {
  return database_.read([](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT (SELECT count(*) FROM executions WHERE stop_ms IS NULL), (SELECT count(*) FROM "
        "timers)");
    return Waiting{row->integer(0), row->integer(1)};
  });
}

std::size_t Executions::forget(base::Timestamp before, std::size_t most) {
  std::size_t count = 0;
  database_.write([&](store::Transaction& tx) {
    const auto rows = tx.query(
        "SELECT id, revision FROM executions WHERE stop_ms IS NOT NULL AND stop_ms < $1 ORDER BY "
        "stop_ms LIMIT $2",
        {base::to_epoch_millis(before), static_cast<std::int64_t>(most)});
    for (const auto& row : rows) {
      for (const char* table : {"execution_state", "execution_events", "timers", "tasks",
                                "ended_tokens", "map_runs", "redrive_tokens"}) {
        tx.execute("DELETE FROM " + std::string(table) + " WHERE execution = $1", {row.integer(0)});
      }
      tx.execute("DELETE FROM executions WHERE id = $1", {row.integer(0)});
      ++count;
    }
    if (count > 0) {
      tx.execute(
          "DELETE FROM machine_revisions WHERE NOT EXISTS (SELECT 1 FROM machines m WHERE m.arn = "
          "machine_revisions.machine) AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.machine = "
          "machine_revisions.machine AND e.revision = machine_revisions.id)");
    }
  });
  return count;
}

}  // namespace andon::workflow
