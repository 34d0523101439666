// SPDX-License-Identifier: Apache-2.0
#include "control/telemetry/device_telemetry.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr double kRoundsTo = 100;

constexpr std::string_view kSchema = R"sql(
CREATE TABLE device_figures (
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  period BIGINT NOT NULL,        -- seconds
  at_ms BIGINT NOT NULL,         -- its beginning, by the server's clock
  points BIGINT NOT NULL,        -- that it is the average of
  figures TEXT NOT NULL,         -- by fleet::Figure, with commas between; empty: not known
  PRIMARY KEY (thing, period, at_ms)
) WITHOUT ROWID;
CREATE INDEX device_figures_age ON device_figures (period, at_ms);
CREATE TABLE device_figures_latest (
  thing TEXT NOT NULL PRIMARY KEY REFERENCES things (name) ON DELETE CASCADE,
  at_ms BIGINT NOT NULL,
  figures TEXT NOT NULL
);
)sql";

std::string stored(const fleet::Figures& figures) {
  std::string text;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (i > 0) text += ',';
    if (figures[i]) text += base::number_text(std::round(*figures[i] * kRoundsTo) / kRoundsTo);
  }
  return text;
}

// What an older server has stored has fewer.
fleet::Figures figures_of(const std::string& text) {
  fleet::Figures figures{};
  std::size_t place = 0;
  for (const std::string_view part : base::split(text, ',')) {
    if (place >= figures.size()) break;
    figures[place++] = base::parse_number(part);
  }
  return figures;
}

// The average of `points` points so far, and of another.
fleet::Figures joined(const fleet::Figures& average, std::int64_t points,
                      const fleet::Figures& another) {
  fleet::Figures both = another;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (!average[i]) continue;
    if (!both[i]) {
      both[i] = average[i];
    } else {
      *both[i] = *average[i] + (*both[i] - *average[i]) / static_cast<double>(points + 1);
    }
  }
  return both;
}

constexpr std::string_view kInsert =
    "INSERT INTO device_figures (thing, period, at_ms, points, figures) VALUES ($1, $2, $3, $4, "
    "$5) ON CONFLICT (thing, period, at_ms) DO UPDATE SET points = excluded.points, "
    "figures = excluded.figures";

void write_hour(store::Transaction& tx, const std::string& thing, std::int64_t minute_ms,
                const fleet::Figures& figures) {
  const std::int64_t hour_ms = minute_ms - minute_ms % kHourMs;
  const auto period = static_cast<std::int64_t>(TelemetryPeriod::hour);
  const auto row = tx.query_one(
      "SELECT points, figures FROM device_figures WHERE thing = $1 AND period = $2 AND at_ms = $3",
      {thing, period, hour_ms});
  const std::int64_t points = row ? row->integer(0) : 0;
  const fleet::Figures average = row ? joined(figures_of(row->text(1)), points, figures) : figures;
  tx.execute(kInsert, {thing, period, hour_ms, points + 1, stored(average)});
}

void write_point(store::Transaction& tx, const std::string& thing, std::int64_t minute_ms,
                 const fleet::Figures& figures, std::int64_t oldest_minute_ms) {
  const auto period = static_cast<std::int64_t>(TelemetryPeriod::minute);
  // A second point of a minute takes the first one's place, and counts once in its hour.
  const bool is_there =
      tx.query_one("SELECT 1 FROM device_figures WHERE thing = $1 AND period = $2 AND at_ms = $3",
                   {thing, period, minute_ms})
          .has_value();
  if (minute_ms >= oldest_minute_ms) {
    tx.execute(kInsert, {thing, period, minute_ms, std::int64_t{1}, stored(figures)});
  }
  if (!is_there) write_hour(tx, thing, minute_ms, figures);
  tx.execute(
      "INSERT INTO device_figures_latest (thing, at_ms, figures) VALUES ($1, $2, $3) ON CONFLICT "
      "(thing) DO UPDATE SET at_ms = excluded.at_ms, figures = excluded.figures WHERE "
      "excluded.at_ms >= device_figures_latest.at_ms",
      {thing, minute_ms, stored(figures)});
}

LatestFigures read_latest(const store::Row& row) {
  return {row.text(0), stored_time(row.integer(1)), figures_of(row.text(2))};
}

}  // namespace

DeviceTelemetry::DeviceTelemetry(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  database_.migrate("telemetry", {{"0001-figures", kSchema}});
}

void DeviceTelemetry::take(const std::string& thing, std::string_view payload) {
  const std::vector<fleet::TelemetryPoint> points = fleet::parse_telemetry_message(payload);
  if (points.empty()) return;
  const std::int64_t now = base::to_epoch_millis(clock_.now());
  const std::int64_t newest = base::to_epoch_millis(points.back().time);
  const std::int64_t oldest_kept = milliseconds(kHoursKept).count();
  const std::lock_guard lock(mutex_);
  for (const fleet::TelemetryPoint& point : points) {
    // Times are anybody's numbers: the difference of two may be none.
    std::int64_t age = 0;
    if (__builtin_sub_overflow(newest, base::to_epoch_millis(point.time), &age)) continue;
    if (age > oldest_kept) continue;
    const std::int64_t at = now - age;
    const Key key{thing, at - at % kMinuteMs};
    // What is full holds the newest of those that are there already.
    if (waiting_.size() >= kMostWaiting && !waiting_.contains(key)) continue;
    waiting_[key] = point.figures;
  }
}

std::chrono::milliseconds DeviceTelemetry::minutes_kept(store::Transaction& tx) const {
  const auto row = tx.query_one("SELECT count(*) FROM device_figures_latest", {});
  const std::int64_t things = row ? row->integer(0) : 0;
  const std::int64_t full = milliseconds(kMinutesKept).count();
  return milliseconds(things <= kThingsInFull ? full : full * kThingsInFull / things);
}

void DeviceTelemetry::write() {
  std::map<Key, fleet::Figures> come;
  {
    const std::lock_guard lock(mutex_);
    come.swap(waiting_);
  }
  if (come.empty()) return;
  database_.write([&](store::Transaction& tx) {
    const std::int64_t oldest = base::to_epoch_millis(clock_.now() - minutes_kept(tx));
    std::string thing;
    bool is_there = false;
    for (const auto& [key, figures] : come) {
      if (key.first != thing) {
        thing = key.first;
        is_there = tx.query_one("SELECT 1 FROM things WHERE name = $1", {thing}).has_value();
      }
      if (is_there) write_point(tx, thing, key.second, figures, oldest);
    }
  });
}

std::vector<fleet::TelemetryPoint> DeviceTelemetry::read(const TelemetryQuestion& question) const {
  const bool is_minutes = question.period == TelemetryPeriod::minute;
  const base::Timestamp now = clock_.now();
  const base::Timestamp oldest =
      is_minutes ? now - kMinutesKept - std::chrono::minutes{1} : now - kHoursKept - kMinutesKept;
  std::vector<fleet::TelemetryPoint> points;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT at_ms, figures FROM device_figures WHERE thing = $1 AND period = $2 AND "
                  "at_ms >= $3 AND at_ms < $4 ORDER BY at_ms",
                  {question.thing, static_cast<std::int64_t>(question.period),
                   to_stored(std::max(question.from, oldest)), to_stored(question.until)})) {
      points.push_back({stored_time(row.integer(0)), figures_of(row.text(1))});
    }
  });
  return points;
}

std::optional<LatestFigures> DeviceTelemetry::latest(const std::string& thing) const {
  std::optional<LatestFigures> found;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT thing, at_ms, figures FROM device_figures_latest WHERE thing = $1", {thing});
    if (row) found = read_latest(*row);
  });
  return found;
}

std::vector<LatestFigures> DeviceTelemetry::latest_of_all(std::int64_t limit) const {
  std::vector<LatestFigures> all;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT thing, at_ms, figures FROM device_figures_latest WHERE at_ms >= $1 "
                  "ORDER BY thing LIMIT $2",
                  {to_stored(clock_.now() - std::chrono::hours{1}), limit})) {
      all.push_back(read_latest(row));
    }
  });
  return all;
}

std::int64_t DeviceTelemetry::remove_old(std::int64_t limit) {
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    const base::Timestamp now = clock_.now();
    const std::pair<TelemetryPeriod, base::Timestamp> ends[] = {
        {TelemetryPeriod::minute, now - minutes_kept(tx)},
        {TelemetryPeriod::hour, now - kHoursKept}};
    for (const auto& [period, end] : ends) {
      if (removed >= limit) break;
      removed += tx.execute(
          "DELETE FROM device_figures WHERE (thing, period, at_ms) IN (SELECT thing, period, "
          "at_ms FROM device_figures WHERE period = $1 AND at_ms < $2 ORDER BY at_ms LIMIT $3)",
          {static_cast<std::int64_t>(period), to_stored(end), limit - removed});
    }
  });
  return removed;
}

}  // namespace andon::control
