// SPDX-License-Identifier: Apache-2.0
// One query of somebody who is not trusted, over some tables of a database file and nothing else of
// it. A connection of its own, which cannot write and is closed afterwards; SQLite asks before each
// table, column and function, and all but what is named here is refused. Bounded: time, rows,
// bytes, memory, temporary files, and what a statement unfolds to. Between two of SQLite's steps
// nothing can be stopped; with values of at most kMostValueBytes a step takes a few seconds at
// worst.
// Used by one thread at a time; any number of them beside writers of the same file.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

struct QueryLimits {
  std::chrono::milliseconds time{300'000};
  std::int64_t rows = 1'000'000;
  std::int64_t result_bytes = 256LL << 20U;  // of the values
  std::int64_t memory_bytes = 256LL << 20U;  // about: what SQLite has taken since the beginning
  std::int64_t temporary_bytes = 1LL << 30U;
};

// What the query sees under `name`: columns of one table.
struct QueryView {
  struct Column {
    std::string name;    // as the query sees it
    std::string source;  // in the table
  };
  std::string name;
  std::string table;
  std::vector<Column> columns;
};

struct QueryColumn {
  std::string name;
  std::string declared;  // the type that the table's column has in its CREATE TABLE; else ""
};

// Gets the columns once, then each row. What they throw ends the query.
struct QuerySink {
  std::function<void(const std::vector<QueryColumn>&)> columns;
  std::function<void(const std::vector<SqlValue>&)> row;
};

class GuardedQuery {
 public:
  static constexpr int kMostValueBytes = 512 * 1024;
  static constexpr std::size_t kMostSqlBytes = 262'144;

  // Opens the database and makes the views. Throws as open_sqlite() does.
  GuardedQuery(const base::fs::path& path, const std::vector<QueryView>& views,
               const QueryLimits& limits);
  GuardedQuery(const GuardedQuery&) = delete;
  GuardedQuery& operator=(const GuardedQuery&) = delete;
  ~GuardedQuery();

  // Once. Throws base::Error: invalid_argument for what SQLite cannot read, not_found for a table
  // or column that is not there, permission_denied for what a query may not use, unsupported for
  // what is not one SELECT, resource_exhausted beyond a limit, deadline_exceeded, cancelled when
  // `is_over` says so (asked now and then, on this thread).
  void run(std::string_view sql, const QuerySink& sink, const std::function<bool()>& is_over);

  // Pages that were read, in bytes; after run().
  [[nodiscard]] std::int64_t bytes_read() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::store
