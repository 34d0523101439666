// SPDX-License-Identifier: Apache-2.0
// How results are read.
#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "control/results/results.hpp"
#include "control/shared/sql_text.hpp"
#include "store/sql/where.hpp"

namespace andon::control {
namespace {

using store::SqlValue;
using store::Where;

constexpr std::string_view kColumns =
    "id, thing, time_ms, image, component, model, model_version, label, score, verdict, error, "
    "problem, stored_ms, message";
// What one page looks at before it answers with what it has.
constexpr std::int64_t kLookedAt = 20'000;
constexpr std::size_t kPageBytes = 4U << 20U;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kQuarterMs = 900'000;

StoredResult result_row(const store::Row& row) {
  StoredResult stored{.id = row.integer(0),
                      .result = {.thing = row.text(1),
                                 .time = stored_time(row.integer(2)),
                                 .image = row.text(3),
                                 .component = row.text(4),
                                 .model = row.text(5),
                                 .model_version = row.text(6),
                                 .label = row.text(7),
                                 .score = {},
                                 .verdict = row.text(9),
                                 .error = row.text(10),
                                 .problem = row.text(11),
                                 .message = row.text(13)},
                      .stored = stored_time(row.integer(12)),
                      .review = {}};
  if (!row.is_null(8)) stored.result.score = row.real(8);
  return stored;
}

ResultReview review_row(const store::Row& row) {
  return {.id = row.integer(0),
          .kind = row.text(1) == to_string(ReviewKind::confirmed) ? ReviewKind::confirmed
                                                                  : ReviewKind::overruled,
          .label = row.text(2),
          .verdict = row.text(3),
          .note = row.text(4),
          .by = row.text(5),
          .time = stored_time(row.integer(6))};
}

constexpr std::string_view kReviews =
    "SELECT id, kind, label, verdict, note, reviewer, time_ms FROM result_reviews "
    "WHERE result_id = $1 ORDER BY id";

std::optional<ResultReview> newest_review(store::Transaction& tx, std::int64_t result) {
  const auto row = tx.query_one(std::string(kReviews) + " DESC LIMIT 1", {result});
  if (!row) return std::nullopt;
  return review_row(*row);
}

// What an index leads to: one of thing, class and verdict, and times; or ids alone.
Where found_by(const ResultRead& wanted) {
  const ResultFilter& filter = wanted.filter;
  Where where;
  if (wanted.order == ResultOrder::as_they_came) {
    where.add("id > " + where.bind(wanted.place ? wanted.place->id : 0));
    return where;
  }
  if (!filter.thing.empty()) {
    where.add("thing = " + where.bind(filter.thing));
  } else if (!filter.label.empty()) {
    where.add("label = " + where.bind(filter.label));
  } else if (!filter.verdict.empty()) {
    // Repeats what the partial index says, so that it may be used.
    where.add("verdict <> '' AND verdict = " + where.bind(filter.verdict));
  }
  where.add("time_ms >= " + where.bind(filter.from_ms));
  const std::int64_t until =
      wanted.place ? std::min(filter.until_ms - 1, wanted.place->time_ms) : filter.until_ms - 1;
  where.add("time_ms <= " + where.bind(until));
  if (wanted.place) {
    const std::string time = where.bind(wanted.place->time_ms);
    where.add("(time_ms < " + time + " OR (time_ms = " + time + " AND id < " +
              where.bind(wanted.place->id) + "))");
  }
  return where;
}

void add_among(Where& where, const ResultFilter& filter) {
  if (!filter.among) return;
  where.add("thing IN (SELECT value FROM json_each(" + where.bind(to_stored(*filter.among)) +
            ") AS member)");
}

// Is it of some things and of whatever class and score? Then the newest of each are merged, as long
// as that is no more than a page looks at: a line that is small beside the others' need not be
// looked for among theirs.
bool is_merged(const ResultRead& wanted) {
  const ResultFilter& filter = wanted.filter;
  return filter.among && wanted.order == ResultOrder::newest_first && filter.thing.empty() &&
         filter.label.empty() && filter.verdict.empty() && !filter.least_score &&
         !filter.most_score &&
         filter.among->size() * (wanted.limit + 1) <= static_cast<std::size_t>(kLookedAt);
}

// What is looked at one by one; `narrowed` has the values that are bound already.
void narrow(Where& narrowed, const ResultRead& wanted) {
  const ResultFilter& filter = wanted.filter;
  const bool is_arrival = wanted.order == ResultOrder::as_they_came;
  if (is_arrival && !filter.thing.empty()) {
    narrowed.add("thing = " + narrowed.bind(filter.thing));
  }
  if (!filter.label.empty() && (is_arrival || !filter.thing.empty())) {
    narrowed.add("label = " + narrowed.bind(filter.label));
  }
  if (!filter.verdict.empty() && (is_arrival || !filter.thing.empty() || !filter.label.empty())) {
    narrowed.add("verdict = " + narrowed.bind(filter.verdict));
  }
  add_among(narrowed, filter);
  if (filter.least_score) narrowed.add("score >= " + narrowed.bind(*filter.least_score));
  if (filter.most_score) narrowed.add("score <= " + narrowed.bind(*filter.most_score));
  if (is_arrival && filter.from_ms != ResultFilter().from_ms) {
    narrowed.add("time_ms >= " + narrowed.bind(filter.from_ms));
  }
  if (is_arrival && filter.until_ms != ResultFilter().until_ms) {
    narrowed.add("time_ms < " + narrowed.bind(filter.until_ms));
  }
}

std::string order_of(const ResultRead& wanted) {
  return wanted.order == ResultOrder::as_they_came ? " ORDER BY id"
                                                   : " ORDER BY time_ms DESC, id DESC";
}

// A SELECT of the places (time and id) of a page and of one more.
struct Places {
  std::string sql;
  std::vector<SqlValue> values;
  bool is_part = false;  // looks at kLookedAt results alone: there may be more behind them
};

// The newest of each thing, by the index of each, and of these the newest.
Places merged_places(const ResultRead& wanted) {
  Where where = found_by(wanted);
  const std::string members = where.bind(to_stored(*wanted.filter.among));
  const std::string limit = where.bind(static_cast<std::int64_t>(wanted.limit) + 1);
  where.add("thing = member.value");
  const std::string order = order_of(wanted);
  return {.sql = "SELECT one.id, one.time_ms FROM json_each(" + members +
                 ") AS member JOIN results AS one ON one.id IN (SELECT id FROM results" +
                 where.sql + order + " LIMIT " + limit +
                 ") ORDER BY one.time_ms DESC, one.id DESC LIMIT " + limit,
          .values = std::move(where.values)};
}

// What no index leads to is looked for among a bounded number, so that a score or a time that is
// rare does not make a page read all that there is.
Places found_places(const ResultRead& wanted) {
  Where where = found_by(wanted);
  const std::string order = order_of(wanted);
  Where narrowed{.sql = "", .values = where.values};
  const std::string looked_at = narrowed.bind(kLookedAt);
  narrow(narrowed, wanted);
  if (narrowed.sql.empty()) {
    const std::string limit = where.bind(static_cast<std::int64_t>(wanted.limit) + 1);
    return {.sql = "SELECT id, time_ms FROM results" + where.sql + order + " LIMIT " + limit,
            .values = std::move(where.values)};
  }
  // The first three are in every index that leads there.
  const bool is_by_score = narrowed.sql.starts_with(" WHERE score");
  const std::string columns =
      std::string("id, time_ms, score") + (is_by_score ? "" : ", thing, label, verdict");
  const std::string limit = narrowed.bind(static_cast<std::int64_t>(wanted.limit) + 1);
  return {.sql = "SELECT id, time_ms FROM (SELECT " + columns + " FROM results" + where.sql +
                 order + " LIMIT " + looked_at + ")" + narrowed.sql + order + " LIMIT " + limit,
          .values = std::move(narrowed.values),
          .is_part = true};
}

// The last of those that found_places() has looked at, where there were so many.
std::optional<ResultPlace> furthest_place(store::Transaction& tx, const ResultRead& wanted) {
  Where where = found_by(wanted);
  const std::string offset = where.bind(kLookedAt - 1);
  const auto row = tx.query_one("SELECT time_ms, id FROM results" + where.sql + order_of(wanted) +
                                    " LIMIT 1 OFFSET " + offset,
                                where.values);
  if (!row) return std::nullopt;
  return ResultPlace{.time_ms = row->integer(0), .id = row->integer(1)};
}

}  // namespace

std::optional<StoredResult> Results::find(std::int64_t id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<StoredResult> {
    const auto row =
        tx.query_one("SELECT " + std::string(kColumns) + " FROM results WHERE id = $1", {id});
    if (!row) return std::nullopt;
    StoredResult stored = result_row(*row);
    stored.review = newest_review(tx, id);
    return stored;
  });
}

std::vector<ResultReview> Results::reviews(std::int64_t id) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<ResultReview> all;
    for (const auto& row : tx.query(kReviews, {id})) all.push_back(review_row(row));
    return all;
  });
}

ResultPage Results::list(const ResultRead& wanted) const {
  const Places places = is_merged(wanted) ? merged_places(wanted) : found_places(wanted);
  return database_.read([&](store::Transaction& tx) {
    ResultPage page;
    std::size_t bytes = 0;
    ResultPlace last;
    for (const auto& row : tx.query(places.sql, places.values)) {
      if (page.results.size() == wanted.limit || bytes > kPageBytes) {
        page.next = last;
        return page;
      }
      last = {.time_ms = row.integer(1), .id = row.integer(0)};
      const auto content = tx.query_one(
          "SELECT " + std::string(kColumns) + " FROM results WHERE id = $1", {last.id});
      page.results.push_back(result_row(*content));
      page.results.back().review = newest_review(tx, last.id);
      bytes += page.results.back().result.message.size();
    }
    if (places.is_part) page.next = furthest_place(tx, wanted);
    return page;
  });
}

namespace {

// What counts are grouped and ordered by, as SQL has it.
std::vector<std::string> columns_of(const CountGroups& groups) {
  std::vector<std::string> columns;
  if (groups.by_hour) columns.emplace_back("(quarter >> 2)");
  if (groups.by_thing) columns.emplace_back("thing");
  if (groups.by_label) columns.emplace_back("label");
  if (groups.by_found) columns.emplace_back("(label <> '')");
  if (groups.by_verdict) columns.emplace_back("verdict");
  return columns;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& one : texts) all += (all.empty() ? "" : ", ") + one;
  return all;
}

std::int64_t quarter_of(std::int64_t time_ms) {
  return time_ms / kQuarterMs;
}

ResultCount count_row(const store::Row& row, const CountGroups& groups) {
  ResultCount one;
  std::size_t at = 0;
  if (groups.by_hour) one.hour = stored_time(row.integer(at++) * kHourMs);
  if (groups.by_thing) one.thing = row.text(at++);
  if (groups.by_label) one.label = row.text(at++);
  if (groups.by_found) one.is_found = row.integer(at++) != 0;
  if (groups.by_verdict) one.verdict = row.text(at++);
  one.count = row.integer(at);
  return one;
}

// The values of columns_of(), as the key of a page has them.
std::vector<std::string> key_of(const ResultCount& one, const CountGroups& groups) {
  std::vector<std::string> key;
  if (groups.by_hour) key.push_back(std::to_string(to_stored(one.hour) / kHourMs));
  if (groups.by_thing) key.push_back(one.thing);
  if (groups.by_label) key.push_back(one.label);
  if (groups.by_found) key.emplace_back(one.is_found ? "1" : "0");
  if (groups.by_verdict) key.push_back(one.verdict);
  return key;
}

// What comes after the page that ended with `after`.
void add_after(Where& where, const std::string& after, const CountGroups& groups) {
  std::vector<std::string> key;
  try {
    key = stored_list(after);
  } catch (const base::Error&) {
    key.clear();
  }
  const auto columns = columns_of(groups);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < key.size() && key.size() == columns.size(); ++i) {
    if (!columns[i].starts_with('(')) {
      values.push_back(where.bind(key[i]));
    } else if (const auto number = base::parse_int64(key[i])) {
      values.push_back(where.bind(*number));
    }
  }
  if (values.empty() || values.size() != columns.size()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "nextToken: is not one that this operation gave for these groups; start the "
                      "list anew without it");
  }
  where.add("(" + joined(columns) + ") > (" + joined(values) + ")");
}

}  // namespace

Page<ResultCount> Results::counts(const ResultFilter& filter, const CountGroups& groups,
                                  const PageRequest& request) const {
  Where where;
  if (!filter.thing.empty()) where.add("thing = " + where.bind(filter.thing));
  if (!filter.label.empty()) where.add("label = " + where.bind(filter.label));
  if (!filter.verdict.empty()) where.add("verdict = " + where.bind(filter.verdict));
  add_among(where, filter);
  where.add("quarter >= " + where.bind(quarter_of(filter.from_ms)));
  // A quarter belongs to it with its first moment.
  where.add("quarter <= " + where.bind(quarter_of(filter.until_ms - 1)));
  if (!request.after.empty()) add_after(where, request.after, groups);
  const std::string columns = joined(columns_of(groups));
  std::string sql = "SELECT " + columns + (columns.empty() ? "" : ", ") +
                    "coalesce(sum(results), 0) FROM result_counts" + where.sql;
  if (!columns.empty()) sql += " GROUP BY " + columns + " ORDER BY " + columns;
  sql += " LIMIT " + where.bind(static_cast<std::int64_t>(request.limit) + 1);
  return database_.read([&](store::Transaction& tx) {
    Page<ResultCount> page;
    for (const auto& row : tx.query(sql, where.values)) {
      if (page.items.size() == request.limit) {
        page.next = to_stored(key_of(page.items.back(), groups));
        break;
      }
      page.items.push_back(count_row(row, groups));
    }
    return page;
  });
}

std::int64_t Results::newest_id() const {
  return database_.read([](store::Transaction& tx) {
    return tx.query_one("SELECT max(id) FROM results")->optional_integer(0).value_or(0);
  });
}

Results::Totals Results::totals() const {
  return database_.read([](store::Transaction& tx) {
    const auto row = tx.query_one("SELECT results, bytes FROM result_totals WHERE id = 1");
    return Totals{row->integer(0), row->integer(1)};
  });
}

}  // namespace andon::control
