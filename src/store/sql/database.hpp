// SPDX-License-Identifier: Apache-2.0
// The relational store behind one small interface: SQL with $1, $2 ... parameters (as PostgreSQL
// writes them), rows as typed values. SQLite (WAL, synchronous=FULL) is behind it here.
// A Database is shared by threads; each Transaction belongs to one thread and holds a connection.
// After a crash each transaction has happened whole or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/os/file.hpp"

namespace andon::store {

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

// One result row. Throws internal for a column that is absent or of another type.
class Row {
 public:
  explicit Row(std::vector<SqlValue> values) : values_(std::move(values)) {}
  [[nodiscard]] std::int64_t integer(std::size_t column) const;
  [[nodiscard]] double real(std::size_t column) const;
  [[nodiscard]] const std::string& text(std::size_t column) const;
  [[nodiscard]] const std::string& blob(std::size_t column) const;
  [[nodiscard]] bool is_null(std::size_t column) const;
  [[nodiscard]] std::optional<std::string> optional_text(std::size_t column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::size_t column) const;

 private:
  std::vector<SqlValue> values_;
};

class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction() = default;

  // Errors are base::Error: already_exists for a violated unique constraint,
  // failed_precondition for a foreign key, resource_exhausted for a full disk, data_corrupted for
  // a damaged file, else internal. The text never holds bound values.
  virtual std::vector<Row> query(std::string_view sql,
                                 const std::vector<SqlValue>& values = {}) = 0;
  virtual std::int64_t execute(std::string_view sql,
                               const std::vector<SqlValue>& values = {}) = 0;  // rows changed
  [[nodiscard]] std::optional<Row> query_one(std::string_view sql,
                                             const std::vector<SqlValue>& values = {});

 protected:
  Transaction() = default;
};

// One step of a schema's history; applied once each, in order, recorded in the database.
struct Migration {
  std::string_view name;  // never changed once released
  std::string_view sql;   // may hold several statements
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  // Runs `work(Transaction&)` in a transaction that takes the write lock at its start, and gives
  // what it returns; commits when it returns, rolls back when it throws. Transactions do not nest.
  template <typename Work>
  auto write(const Work& work) {
    return result_of(work, [this](const Statements& statements) { do_write(statements); });
  }
  // The same without waiting for the disk. What ended before a process did is kept whatever ended
  // it; a power cut may take it back, together with all that was written after it, until the next
  // write() has come back.
  template <typename Work>
  auto write_unsynced(const Work& work) {
    return result_of(work, [this](const Statements& statements) { do_write_unsynced(statements); });
  }
  // The same for reading: a consistent snapshot, concurrent with a writer.
  template <typename Work>
  auto read(const Work& work) const {
    return result_of(work, [this](const Statements& statements) { do_read(statements); });
  }

  // Applies those of `migrations` that the database lacks. `component` names whose they are
  // ("control"), so that each library keeps its own. A database that had any before it was opened
  // is copied first, once, to PATH.before-TIME beside it, of which the newest two are kept; where
  // no copy can be made this throws and has changed nothing. Throws failed_precondition for a
  // database with migrations that are not among these: a newer program's.
  virtual void migrate(std::string_view component, const std::vector<Migration>& migrations) = 0;

 protected:
  using Statements = std::function<void(Transaction&)>;
  virtual void do_write(const Statements& work) = 0;
  virtual void do_write_unsynced(const Statements& work) { do_write(work); }
  virtual void do_read(const Statements& work) const = 0;

 private:
  template <typename Work, typename Run>
  static auto result_of(const Work& work, const Run& run) {
    using Result = std::invoke_result_t<const Work&, Transaction&>;
    if constexpr (std::is_void_v<Result>) {
      run([&](Transaction& tx) { work(tx); });
    } else {
      std::optional<Result> result;
      run([&](Transaction& tx) { result.emplace(work(tx)); });
      return *std::move(result);
    }
  }
};

enum class IfAbsent { make, refuse };

struct SqliteOptions {
  // refuse: also a database that nothing was ever written to. For what must have content, so that
  // a lost one is not silently begun anew.
  IfAbsent absent = IfAbsent::make;
  std::size_t cache_kib = 256;  // pages kept in memory, a connection
  std::size_t max_readers = 4;  // read transactions at a time; further ones wait
  // How long a transaction waits for its turn before it throws unavailable.
  std::chrono::milliseconds lock_timeout{30'000};
  // Told of each statement when a connection first prepares it; for tests of query plans.
  std::function<void(std::string_view)> on_prepare;
};

// Opens or makes `path` (mode 0600), after a quick check (database_check.hpp). Throws
// data_corrupted for a file that is not a sound database, and for one that is missing and must not
// be; nothing on disk has changed then. A new file gets its name when it is a database, so an empty
// one is damage.
[[nodiscard]] std::unique_ptr<Database> open_sqlite(const base::fs::path& path,
                                                    const SqliteOptions& options = {});

}  // namespace andon::store
