// SPDX-License-Identifier: Apache-2.0
#include "features/export/exporter.hpp"

#include <cstdio>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "features/groups/groups.hpp"
#include "features/groups/rules.hpp"
#include "features/groups/schema.hpp"
#include "features/records/offline.hpp"

namespace andon::features {
namespace {

namespace json = base::json;
using store::Row;
using store::Transaction;

constexpr std::chrono::minutes kAfterProblem{1};
constexpr std::size_t kMostProblem = 500;
constexpr int kRowDigits = 12;

// year=2026/month=11/day=22/hour=10/20261122T100000Z_000000000001-000000000007.jsonl
std::string object_name(const std::string& write_time, std::int64_t first, std::int64_t last) {
  const auto part = [&](std::size_t at, std::size_t count) { return write_time.substr(at, count); };
  char rows[64];
  std::snprintf(rows, sizeof rows, "%0*lld-%0*lld", kRowDigits, static_cast<long long>(first),
                kRowDigits, static_cast<long long>(last));
  return "year=" + part(0, 4) + "/month=" + part(5, 2) + "/day=" + part(8, 2) +
         "/hour=" + part(11, 2) + "/" + part(0, 4) + part(5, 2) + part(8, 2) + "T" + part(11, 2) +
         part(14, 2) + part(17, 2) + "Z_" + rows + ".jsonl";
}

}  // namespace

struct Exporter::Due {
  std::int64_t id = 0;
  std::string location;
  std::string role;
  std::vector<Feature> columns;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::string write_time;  // of the first
};

// The range that was begun, or the next one, which is noted.
std::optional<Exporter::Due> Exporter::find_due() {
  const base::Timestamp now = clock_.now();
  const auto waiting = database_.read([&](Transaction& tx) {
    return tx.query(
        "SELECT id, location, role, columns, exported_row, exporting_row, last_row FROM "
        "fs_tables WHERE last_row > exported_row AND next_export_ms <= $1 ORDER BY id",
        {base::to_epoch_millis(now)});
  });
  for (const Row& row : waiting) {
    Due due{.id = row.integer(0),
            .location = row.text(1),
            .role = row.text(2),
            .columns = stored_columns(row.text(3)),
            .first = 0,
            .last = row.integer(5),
            .write_time = {}};
    const std::int64_t exported = row.integer(4);
    const std::string table = offline_table(due.id);
    const auto first = database_.read([&](Transaction& tx) {
      return tx.query_one("SELECT r, write_time FROM " + table + " WHERE r > $1 ORDER BY r LIMIT 1",
                          {exported});
    });
    if (!first) continue;
    due.first = first->integer(0);
    due.write_time = first->text(1);
    if (due.last > exported) return due;  // begun by an earlier program
    const bool is_full = row.integer(6) - exported >= options_.rows;
    if (!is_full && due.write_time > athena_time(now - options_.after)) continue;
    std::int64_t bytes = 0;
    const auto rows = database_.read([&](Transaction& tx) {
      return tx.query("SELECT r, bytes FROM " + table + " WHERE r > $1 ORDER BY r LIMIT $2",
                      {exported, options_.rows});
    });
    for (const Row& one : rows) {
      bytes += one.integer(1);
      if (bytes > options_.bytes && due.last > exported) break;
      due.last = one.integer(0);
    }
    database_.write([&](Transaction& tx) {
      tx.execute("UPDATE fs_tables SET exporting_row = $2 WHERE id = $1", {due.id, due.last});
    });
    return due;
  }
  return std::nullopt;
}

std::string Exporter::lines_of(const Due& due) const {
  std::string select = "SELECT write_time, api_invocation_time, is_deleted";
  for (std::size_t i = 0; i < due.columns.size(); ++i) select += ", " + offline_column(i);
  const auto rows = database_.read([&](Transaction& tx) {
    return tx.query(
        select + " FROM " + offline_table(due.id) + " WHERE r >= $1 AND r <= $2 ORDER BY r",
        {due.first, due.last});
  });
  std::string lines;
  for (const Row& row : rows) {
    json::object line;
    for (std::size_t i = 0; i < due.columns.size(); ++i) {
      const std::size_t at = i + 3;
      if (row.is_null(at)) continue;
      switch (due.columns[i].type) {
        case FeatureType::integral:
          line[due.columns[i].name] = row.integer(at);
          break;
        case FeatureType::fractional:
          line[due.columns[i].name] = row.real(at);
          break;
        case FeatureType::text:
          line[due.columns[i].name] = row.text(at);
          break;
      }
    }
    line[kWriteTime] = row.text(0);
    line[kInvocationTime] = row.text(1);
    line[kIsDeleted] = row.integer(2) != 0;
    lines += base::to_text(line) + "\n";
  }
  return lines;
}

bool Exporter::carry_on() {
  const auto due = find_due();
  if (!due) return false;
  std::string problem;
  try {
    const S3Place place = parse_s3_uri(due->location);
    write_({.role_arn = due->role,
            .bucket = place.bucket,
            .key = place.prefix + "/" + object_name(due->write_time, due->first, due->last),
            .bytes = lines_of(*due)});
  } catch (const std::exception& error) {
    problem = std::string(error.what()).substr(0, kMostProblem);
    base::log_warning("an offline store cannot be written to its bucket; tried again in a minute",
                      {{"location", due->location}, {"error", problem}});
  }
  const base::Timestamp now = clock_.now();
  database_.write([&](Transaction& tx) {
    if (problem.empty()) {
      tx.execute("UPDATE fs_tables SET exported_row = $2, export_problem = '' WHERE id = $1",
                 {due->id, due->last});
    } else {
      tx.execute("UPDATE fs_tables SET export_problem = $2, next_export_ms = $3 WHERE id = $1",
                 {due->id, problem, base::to_epoch_millis(now + kAfterProblem)});
    }
  });
  return true;
}

}  // namespace andon::features
