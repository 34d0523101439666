// SPDX-License-Identifier: Apache-2.0
// One SQLite connection with its prepared statements; part of sqlite_database.cpp's inside.
// Used by one thread at a time. Errors are translated here; their text names the statement and
// SQLite's own name of the error, never a bound value.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/os/file.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

enum class Access { read_write, read_only };
enum class Journal { write_ahead, as_it_is };

struct ConnectionOptions {
  std::size_t cache_kib = 256;
  std::chrono::milliseconds busy_timeout{10'000};  // for locks of other processes
  Access access = Access::read_write;
  Journal journal = Journal::write_ahead;
  std::function<void(std::string_view)> on_prepare;  // may be empty
};

class SqliteConnection {
 public:
  SqliteConnection(const base::fs::path& path, const ConnectionOptions& options);

  [[nodiscard]] std::vector<Row> query(std::string_view sql, const std::vector<SqlValue>& values);
  std::int64_t execute(std::string_view sql, const std::vector<SqlValue>& values);
  // Any number of statements, without parameters or results.
  void run_script(std::string_view sql);
  // Ends an open transaction, if there is one, without its changes. Never throws.
  void roll_back() noexcept;
  // Statements fail when `is_over` says so; asked now and then, on the thread that runs them.
  void give_up_when(std::function<bool()> is_over);
  // Everything, as this connection's transaction sees it, into the file `target`.
  void copy_to(const base::fs::path& target);

 private:
  struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  [[nodiscard]] sqlite3_stmt* prepare(std::string_view sql);
  void bind(sqlite3_stmt* statement, std::string_view sql, const std::vector<SqlValue>& values);
  [[noreturn]] void fail(std::string_view doing) const;

  base::fs::path path_;
  std::function<void(std::string_view)> on_prepare_;
  std::function<bool()> is_over_;  // before handle_, which asks it
  std::unique_ptr<sqlite3, CloseConnection> handle_;
  std::unordered_map<std::string, Statement> statements_;  // after handle_: finalized first
};

}  // namespace andon::store
