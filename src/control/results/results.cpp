// SPDX-License-Identifier: Apache-2.0
// How results are written and forgotten; how they are read is in result_query.cpp.
#include "control/results/results.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "control/results/schema.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlValue;

constexpr std::int64_t kRowBytes = 300;  // of a row and its entries in indices, beside its message
constexpr std::int64_t kStep = 500;
constexpr std::int64_t kQuarterMs = 900'000;
// What is looked at of a row that goes.
constexpr std::string_view kToRemove =
    "SELECT id, thing, time_ms, label, bytes, verdict FROM results ";

store::Database& migrated(store::Database& database) {
  migrate_result_schema(database);
  return database;
}

std::int64_t quarter_of(std::int64_t time_ms) {
  // Also before 1970.
  return time_ms >= 0 ? time_ms / kQuarterMs : -((-time_ms + kQuarterMs - 1) / kQuarterMs);
}

std::int64_t bytes_of(const NewResult& result) {
  return static_cast<std::int64_t>(result.message.size() + result.image.size() +
                                   result.component.size() + result.label.size()) +
         kRowBytes;
}

}  // namespace

std::string_view to_string(ReviewKind kind) {
  return kind == ReviewKind::confirmed ? "CONFIRMED" : "OVERRULED";
}

Results::Results(store::Database& database, const base::Clock& clock, ResultLimits limits)
    : database_(migrated(database)), clock_(clock), limits_(limits), commits_(database) {}

void Results::note(Changes& changes, const Changes::Count& of, std::int64_t bytes,
                   std::int64_t results) {
  changes.bytes[std::get<1>(of)] += bytes;
  changes.counts[of] += results;
  changes.results += results;
}

void Results::apply(store::Transaction& tx, const Changes& changes) {
  std::int64_t all = 0;
  for (const auto& [thing, bytes] : changes.bytes) {
    all += bytes;
    tx.execute(
        "INSERT INTO result_things (thing, bytes) VALUES ($1, $2) "
        "ON CONFLICT (thing) DO UPDATE SET bytes = bytes + excluded.bytes",
        {thing, bytes});
    if (bytes < 0) {
      tx.execute("DELETE FROM result_things WHERE thing = $1 AND bytes <= 0", {thing});
    }
  }
  for (const auto& [key, count] : changes.counts) {
    const auto& [quarter, thing, label, verdict] = key;
    tx.execute(
        "INSERT INTO result_counts (quarter, thing, label, verdict, results) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (quarter, thing, label, verdict) "
        "DO UPDATE SET results = results + excluded.results",
        {quarter, thing, label, verdict, count});
    if (count < 0) {
      tx.execute(
          "DELETE FROM result_counts WHERE quarter = $1 AND thing = $2 AND label = $3 AND "
          "verdict = $4 AND results <= 0",
          {quarter, thing, label, verdict});
    }
  }
  tx.execute("UPDATE result_totals SET bytes = bytes + $1, results = results + $2 WHERE id = 1",
             {all, changes.results});
}

std::size_t Results::put(const std::vector<NewResult>& results) {
  std::size_t added = 0;
  commits_.write([&](store::Transaction& tx) {
    added = 0;
    Changes changes;
    const std::int64_t now = to_stored(clock_.now());
    for (const NewResult& one : results) {
      const std::int64_t time = to_stored(one.time);
      const std::int64_t bytes = bytes_of(one);
      const auto inserted = tx.execute(
          "INSERT INTO results (thing, time_ms, image, component, model, model_version, label, "
          "score, verdict, error, problem, stored_ms, bytes, message) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
          "ON CONFLICT DO NOTHING",
          {one.thing, time, one.image, one.component, one.model, one.model_version, one.label,
           one.score ? SqlValue(*one.score) : SqlValue(), one.verdict, one.error, one.problem, now,
           bytes, one.message});
      if (inserted == 0) continue;
      ++added;
      note(changes, {quarter_of(time), one.thing, one.label, one.verdict}, bytes, 1);
    }
    if (added == 0) return;
    apply(tx, changes);
    make_room(tx);
  });
  return added;
}

std::int64_t Results::remove(store::Transaction& tx, const std::vector<store::Row>& rows) {
  Changes changes;
  std::int64_t bytes = 0;
  for (const auto& row : rows) {
    tx.execute("DELETE FROM result_reviews WHERE result_id = $1", {row.integer(0)});
    tx.execute("DELETE FROM results WHERE id = $1", {row.integer(0)});
    note(changes, {quarter_of(row.integer(2)), row.text(1), row.text(3), row.text(5)},
         -row.integer(4), -1);
    bytes += row.integer(4);
  }
  if (!rows.empty()) apply(tx, changes);
  return bytes;
}

// The oldest of the thing that has most, until all fit.
void Results::make_room(store::Transaction& tx) const {
  while (true) {
    const auto all = tx.query_one("SELECT bytes FROM result_totals WHERE id = 1");
    const std::int64_t excess = all->integer(0) - limits_.total_bytes;
    if (excess <= 0) return;
    const auto largest =
        tx.query_one("SELECT thing FROM result_things ORDER BY bytes DESC LIMIT 1");
    if (!largest) return;
    auto rows = tx.query(
        std::string(kToRemove) + "WHERE thing = $1 ORDER BY time_ms, image, component LIMIT $2",
        {largest->text(0), kStep});
    if (rows.empty()) return;
    std::int64_t freed = 0;
    const auto last = std::ranges::find_if(rows, [&](const store::Row& row) {
      freed += row.integer(4);
      return freed >= excess;
    });
    if (last != rows.end()) rows.erase(std::next(last), rows.end());
    remove(tx, rows);
  }
}

ResultReview Results::add_review(std::int64_t result, ResultReview review) {
  commits_.write([&](store::Transaction& tx) {
    if (!tx.query_one("SELECT 1 FROM results WHERE id = $1", {result})) {
      throw Error(ErrorCode::not_found, "there is no result " + std::to_string(result));
    }
    const auto count =
        tx.query_one("SELECT count(*) FROM result_reviews WHERE result_id = $1", {result});
    if (count->integer(0) >= limits_.reviews) {
      throw Error(ErrorCode::resource_exhausted, "result " + std::to_string(result) + " has " +
                                                     std::to_string(limits_.reviews) +
                                                     " confirmations and overrules already");
    }
    review.time = clock_.now();
    tx.execute(
        "INSERT INTO result_reviews (result_id, kind, label, verdict, note, reviewer, time_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        {result, std::string(to_string(review.kind)), review.label, review.verdict, review.note,
         review.by, to_stored(review.time)});
    review.id = tx.query_one("SELECT max(id) FROM result_reviews WHERE result_id = $1", {result})
                    ->integer(0);
  });
  return review;
}

ShiftPlan Results::shifts() const {
  return database_.read([](store::Transaction& tx) {
    const auto row = tx.query_one("SELECT plan FROM result_shifts WHERE id = 1");
    return row ? read_shift_plan(stored_object(row->text(0))) : ShiftPlan();
  });
}

void Results::set_shifts(const ShiftPlan& plan) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO result_shifts (id, plan) VALUES (1, $1) "
        "ON CONFLICT (id) DO UPDATE SET plan = excluded.plan",
        {base::to_text(to_json(plan))});
  });
}

std::int64_t Results::sweep(std::int64_t limit) {
  std::int64_t removed = 0;
  const std::int64_t oldest = to_stored(clock_.now() - limits_.keep);
  commits_.write([&](store::Transaction& tx) {
    const auto rows =
        tx.query(std::string(kToRemove) + "WHERE stored_ms < $1 ORDER BY stored_ms LIMIT $2",
                 {oldest, limit});
    remove(tx, rows);
    removed = std::ssize(rows);
  });
  return removed;
}

}  // namespace andon::control
