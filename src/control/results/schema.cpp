// SPDX-License-Identifier: Apache-2.0
#include "control/results/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kResults = R"sql(
CREATE TABLE results (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice
  thing TEXT NOT NULL,
  time_ms BIGINT NOT NULL,                -- of the device's clock
  image TEXT NOT NULL,
  component TEXT NOT NULL,
  model TEXT NOT NULL,
  model_version TEXT NOT NULL,
  label TEXT NOT NULL,                    -- of the surest finding
  score DOUBLE PRECISION,
  verdict TEXT NOT NULL,
  error TEXT NOT NULL,
  problem TEXT NOT NULL,                  -- why it cannot be read as a result; '': it can
  stored_ms BIGINT NOT NULL,              -- of the server's clock
  bytes BIGINT NOT NULL,
  message TEXT NOT NULL
);
CREATE UNIQUE INDEX results_identity ON results (thing, time_ms, image, component);
-- What is no result has no time of its own by which a second one would be known.
CREATE UNIQUE INDEX results_unreadable ON results (thing, image) WHERE problem <> '';
CREATE INDEX results_time ON results (time_ms, score);
CREATE INDEX results_label ON results (label, time_ms, score);
CREATE INDEX results_verdict ON results (verdict, time_ms, score) WHERE verdict <> '';
CREATE INDEX results_stored ON results (stored_ms);
CREATE TABLE result_reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  result_id BIGINT NOT NULL,
  kind TEXT NOT NULL,                     -- CONFIRMED, OVERRULED
  label TEXT NOT NULL,
  verdict TEXT NOT NULL,
  note TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  time_ms BIGINT NOT NULL
);
CREATE INDEX result_reviews_result ON result_reviews (result_id, id);
-- What is kept of each thing, and of all.
CREATE TABLE result_things (
  thing TEXT NOT NULL PRIMARY KEY,
  bytes BIGINT NOT NULL
);
CREATE INDEX result_things_bytes ON result_things (bytes);
CREATE TABLE result_totals (
  id BIGINT NOT NULL PRIMARY KEY,         -- one row
  bytes BIGINT NOT NULL,
  results BIGINT NOT NULL
);
INSERT INTO result_totals (id, bytes, results) VALUES (1, 0, 0);
CREATE TABLE result_counts (
  thing TEXT NOT NULL,
  hour BIGINT NOT NULL,                   -- since 1970, UTC
  label TEXT NOT NULL,
  results BIGINT NOT NULL,
  PRIMARY KEY (thing, hour, label)
);
CREATE INDEX result_counts_hour ON result_counts (hour, thing, label);
)sql";

// Counts know verdicts, and quarters of hours, at which shifts and time zones begin.
constexpr std::string_view kCounts = R"sql(
DROP TABLE result_counts;
CREATE TABLE result_counts (
  quarter BIGINT NOT NULL,                -- of an hour, since 1970, UTC
  thing TEXT NOT NULL,
  label TEXT NOT NULL,
  verdict TEXT NOT NULL,
  results BIGINT NOT NULL,
  PRIMARY KEY (quarter, thing, label, verdict)
) WITHOUT ROWID;
INSERT INTO result_counts (quarter, thing, label, verdict, results)
  SELECT time_ms / 900000 - (time_ms < 0 AND time_ms % 900000 <> 0), thing, label, verdict, count(*)
  FROM results GROUP BY 1, 2, 3, 4;
CREATE INDEX result_counts_thing ON result_counts (thing, quarter);
CREATE TABLE result_shifts (
  id BIGINT NOT NULL PRIMARY KEY,         -- one row
  plan TEXT NOT NULL                      -- JSON
);
)sql";

}  // namespace

void migrate_result_schema(store::Database& database) {
  database.migrate("results",
                   {{"0001-results", kResults}, {"0002-verdicts-and-quarters", kCounts}});
}

}  // namespace andon::control
