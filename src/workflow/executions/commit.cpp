// SPDX-License-Identifier: Apache-2.0
#include "workflow/executions/commit.hpp"

#include <array>
#include <atomic>

#include "base/error/error.hpp"

namespace andon::workflow {
namespace {

using store::SqlValue;

constexpr std::array<std::string_view, 4> kKinds = {"task", "items", "child", "results"};

SqlValue maybe(const std::optional<std::string>& text) {
  return text ? SqlValue(*text) : SqlValue();
}
SqlValue maybe(const std::optional<base::Timestamp>& time) {
  return time ? SqlValue(base::to_epoch_millis(*time)) : SqlValue();
}
SqlValue unless_empty(const std::string& text) {
  return text.empty() ? SqlValue() : SqlValue(text);
}

base::Timestamp listed(const Execution& row) {
  if (row.stopped) return *row.stopped;
  return row.redriven.value_or(row.started);
}

void write_row(store::Transaction& tx, const Commit& commit, std::int64_t last_event,
               const std::string& owner) {
  const Execution& row = commit.row;
  const SqlValue ours = commit.has_tasks || commit.resumes ? SqlValue(owner) : SqlValue();
  if (commit.is_new) {
    tx.execute(
        "INSERT INTO executions (id, arn, name, machine, revision, version, alias, status, "
        "start_ms, stop_ms, listed_ms, input, output, error, cause, trace_header, parent, "
        "parent_branch, parent_index, map_run, item_count, redrive_count, redrive_ms, last_event, "
        "sequence, resumes, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
        "$14, $15, $16, $17, $18, $19, $20, $21, 0, NULL, $22, 1, $23, $24)",
        {row.id,
         row.arn,
         row.name,
         row.machine,
         row.revision,
         row.version_arn,
         row.alias_arn,
         std::string(asl::to_string(row.status)),
         base::to_epoch_millis(row.started),
         maybe(row.stopped),
         base::to_epoch_millis(listed(row)),
         row.input,
         maybe(row.output),
         maybe(row.error),
         maybe(row.cause),
         row.trace_header,
         row.parent.execution,
         row.parent.branch,
         row.parent.index,
         row.map_run,
         row.item_count,
         last_event,
         std::int64_t{commit.resumes},
         ours});
    return;
  }
  const std::int64_t changed = tx.execute(
      "UPDATE executions SET status = $1, stop_ms = $2, listed_ms = $3, output = $4, error = $5, "
      "cause = $6, redrive_count = $7, redrive_ms = $8, last_event = $9, sequence = $10, resumes = "
      "$11, owner = $12 WHERE id = $13 AND sequence = $14 AND (owner IS NULL OR owner = $15)",
      {std::string(asl::to_string(row.status)), maybe(row.stopped),
       base::to_epoch_millis(listed(row)), maybe(row.output), maybe(row.error), maybe(row.cause),
       row.redrive_count, maybe(row.redriven), last_event, row.sequence + 1,
       std::int64_t{commit.resumes}, ours, row.id, row.sequence, owner});
  if (changed == 0) {
    throw base::Error(base::ErrorCode::conflict,
                      "another process has gone on with execution '" + row.arn + "'; try again");
  }
}

void write_state(store::Transaction& tx, const Commit& commit) {
  const std::int64_t id = commit.row.id;
  for (const std::string& prefix : commit.state.erase) {
    if (prefix.empty()) {
      tx.execute("DELETE FROM execution_state WHERE execution = $1", {id});
      continue;
    }
    // All keys that begin with the prefix: none ends in the byte that is put in its last one's
    // place.
    std::string end = prefix;
    ++end.back();
    tx.execute("DELETE FROM execution_state WHERE execution = $1 AND record >= $2 AND record < $3",
               {id, prefix, end});
  }
  for (const auto& [key, body] : commit.state.put) {
    tx.execute(
        "INSERT INTO execution_state (execution, record, body) VALUES ($1, $2, $3) "
        "ON CONFLICT (execution, record) DO UPDATE SET body = excluded.body",
        {id, key, body});
  }
}

void write_tasks(store::Transaction& tx, const Commit& commit) {
  const std::int64_t id = commit.row.id;
  for (const auto& [key, token] : commit.ended) {
    tx.execute(
        "DELETE FROM tasks WHERE execution = $1 AND kind = $2 AND number = $3 AND branch = "
        "$4",
        {id, std::string(to_string(key.kind)), key.number, key.branch});
    if (token.empty()) continue;
    tx.execute("INSERT INTO ended_tokens (token, execution) VALUES ($1, $2)", {token, id});
  }
  for (const TaskRow& task : commit.tasks) {
    tx.execute(
        "INSERT INTO tasks (execution, kind, number, branch, phase, body, token, activity, child, "
        "queued) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        {id, std::string(to_string(task.key.kind)), task.key.number, task.key.branch,
         std::string(task.submitted ? "submitted" : "queued"), base::to_text(task.body),
         unless_empty(task.token), unless_empty(task.activity), unless_empty(task.child),
         new_number(commit.row.started)});
  }
  for (const TaskKey& key : commit.submitted) {
    tx.execute(
        "UPDATE tasks SET phase = 'submitted' WHERE execution = $1 AND kind = $2 AND number = $3 "
        "AND branch = $4",
        {id, std::string(to_string(key.kind)), key.number, key.branch});
  }
}

void write_map_run(store::Transaction& tx, const MapRunRow& run) {
  tx.execute(
      "INSERT INTO map_runs (arn, execution, branch, status, start_ms, stop_ms, max_concurrency, "
      "tolerated_count, tolerated_percentage, counts, redrive_count, redrive_ms) VALUES ($1, $2, "
      "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (arn) DO UPDATE SET status = "
      "excluded.status, stop_ms = excluded.stop_ms, max_concurrency = excluded.max_concurrency, "
      "tolerated_count = excluded.tolerated_count, tolerated_percentage = "
      "excluded.tolerated_percentage, counts = excluded.counts, redrive_count = "
      "excluded.redrive_count, redrive_ms = excluded.redrive_ms",
      {run.arn, run.execution, run.branch, run.status, base::to_epoch_millis(run.started),
       maybe(run.stopped), run.max_concurrency, run.tolerated_count, run.tolerated_percentage,
       base::to_text(run.counts), run.redrive_count, maybe(run.redriven)});
}

}  // namespace

std::string_view to_string(TaskKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

TaskKind task_kind(std::string_view word) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == word) return static_cast<TaskKind>(i);
  }
  throw base::Error(base::ErrorCode::data_corrupted,
                    "a task of unknown kind '" + std::string(word) + "'");
}

namespace {

std::atomic<std::int64_t>& last_number() {
  static std::atomic<std::int64_t> last{0};
  return last;
}

}  // namespace

void numbers_begin_above(std::int64_t used) {
  std::int64_t seen = last_number().load();
  while (seen < used && !last_number().compare_exchange_weak(seen, used)) {
  }
}

std::int64_t new_number(base::Timestamp now) {
  // 43 bits of milliseconds, 20 bits to tell apart what is made in one.
  std::atomic<std::int64_t>& last = last_number();
  const std::int64_t wanted = base::to_epoch_millis(now) << 20U;
  std::int64_t seen = last.load();
  std::int64_t next = 0;
  do {
    next = std::max(wanted, seen + 1);
  } while (!last.compare_exchange_weak(seen, next));
  return next;
}

void write(store::Transaction& tx, const Commit& commit, const std::string& owner) {
  const std::int64_t id = commit.row.id;
  const std::int64_t last_event =
      commit.events.empty() ? commit.row.last_event : commit.events.back().id;
  write_row(tx, commit, last_event, owner);
  write_state(tx, commit);
  if (!commit.events.empty()) {
    tx.execute(
        "INSERT INTO execution_events (execution, first_event, last_event, body) VALUES ($1, $2, "
        "$3, $4)",
        {id, commit.events.front().id, last_event, commit.events_text});
  }
  const bool has_ended = commit.row.status != asl::Status::running;
  if (has_ended && !commit.is_new) tx.execute("DELETE FROM timers WHERE execution = $1", {id});
  if (!has_ended) {
    for (const std::int64_t timer : commit.cancelled_timers) {
      tx.execute("DELETE FROM timers WHERE execution = $1 AND timer = $2", {id, timer});
    }
    for (const auto& [timer, due] : commit.timers) {
      tx.execute("INSERT INTO timers (execution, timer, due_ms) VALUES ($1, $2, $3)",
                 {id, timer, base::to_epoch_millis(due)});
    }
  }
  write_tasks(tx, commit);
  for (const std::string& child : commit.stops) {
    tx.execute("INSERT INTO stops (arn) VALUES ($1) ON CONFLICT (arn) DO NOTHING", {child});
  }
  for (const MapRunRow& run : commit.map_runs) write_map_run(tx, run);
  // Children of a map are no executions of their own to the outside.
  if (!commit.row.map_run.empty()) return;
  const auto tell_bus = [&](asl::Status status, base::Timestamp at) {
    tx.execute("INSERT INTO status_changes (execution, status, at_ms) VALUES ($1, $2, $3)",
               {id, std::string(asl::to_string(status)), base::to_epoch_millis(at)});
  };
  if (commit.is_new) tell_bus(asl::Status::running, commit.row.started);
  if (commit.is_redrive) {
    tell_bus(asl::Status::running, commit.row.redriven.value_or(commit.row.started));
  }
  if (has_ended) tell_bus(commit.row.status, commit.row.stopped.value_or(commit.row.started));
}

}  // namespace andon::workflow
