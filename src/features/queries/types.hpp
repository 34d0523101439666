// SPDX-License-Identifier: Apache-2.0
// Queries of the offline stores, as Athena has them: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"

namespace andon::features {

enum class QueryState : std::uint8_t { queued, running, succeeded, failed, cancelled };
[[nodiscard]] std::string_view to_string(QueryState state);  // "QUEUED" ...
[[nodiscard]] constexpr bool is_over(QueryState state) {
  return state >= QueryState::succeeded;
}

struct ResultColumn {
  std::string name;
  std::string type;  // varchar, bigint, double, boolean, timestamp, varbinary
  bool operator==(const ResultColumn&) const = default;
};

struct QueryRequest {
  std::string sql;
  std::string database;  // of the context; may be empty
  std::string catalog;
  std::string output_location;  // as it came: s3://bucket/prefix/
};

struct QueryExecution {
  std::int64_t number = 0;  // rises
  std::string id;           // a UUID
  QueryState state = QueryState::queued;
  QueryRequest request;
  std::vector<std::int64_t> tables;           // of the offline tables that it may see
  std::map<std::string, std::string> denied;  // a table that it may not: why
  std::string bucket;
  std::string object;  // the key of the result
  std::string etag;    // of the result
  std::vector<ResultColumn> columns;
  std::string reason;
  int error_category = 0;  // 1: the system, 2: the user; 0: no error
  base::Timestamp submitted;
  std::optional<base::Timestamp> started;
  std::optional<base::Timestamp> completed;
  std::int64_t scanned_bytes = 0;
};

inline constexpr std::int64_t kMostQueries = 10'000;  // that are kept
inline constexpr std::int64_t kMostOpenQueries = 50;  // that wait or run
inline constexpr std::chrono::days kQueriesKept{45};

}  // namespace andon::features
