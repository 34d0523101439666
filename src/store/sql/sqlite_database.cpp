// SPDX-License-Identifier: Apache-2.0
// One writing connection, and reading connections made as they are needed. SQLite allows one
// writer a file: threads of this process queue for it here, other processes in SQLite's own lock.
// Before the first migration that a database with others is given, a copy of it as it was is kept
// beside it, PATH.before-20261130T100000Z; where none can be made nothing is changed.
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "base/time/time.hpp"
#include "store/sql/database_check.hpp"
#include "store/sql/sqlite_connection.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

// Kept open when nobody reads. Opening one costs far more than a read, so that others are closed
// only when they have not been needed for a while, at the next read.
constexpr std::size_t kIdleReaders = 1;
constexpr std::chrono::seconds kKeptUnused{10};

constexpr const char* kCopyMark = ".before-";
// Two: where a start was cut short between two components' changes the older is of before all.
constexpr std::size_t kCopies = 2;

class SqliteTransaction final : public Transaction {
 public:
  explicit SqliteTransaction(SqliteConnection& connection) : connection_(connection) {}

  std::vector<Row> query(std::string_view sql, const std::vector<SqlValue>& values) override {
    return connection_.query(sql, values);
  }
  std::int64_t execute(std::string_view sql, const std::vector<SqlValue>& values) override {
    return connection_.execute(sql, values);
  }

 private:
  SqliteConnection& connection_;
};

void run_transaction(SqliteConnection& connection, std::string_view begin,
                     const std::function<void(Transaction&)>& work) {
  base::may_block("a database transaction");
  connection.execute(begin, {});
  try {
    SqliteTransaction tx(connection);
    work(tx);
    connection.execute("COMMIT", {});
  } catch (...) {
    connection.roll_back();
    throw;
  }
}

// In WAL mode NORMAL leaves the sync to the next commit with FULL, and to checkpoints.
class UnsyncedCommits {
 public:
  explicit UnsyncedCommits(SqliteConnection& connection) : connection_(connection) {
    connection_.run_script("PRAGMA synchronous = NORMAL");
  }
  UnsyncedCommits(const UnsyncedCommits&) = delete;
  UnsyncedCommits& operator=(const UnsyncedCommits&) = delete;
  ~UnsyncedCommits() { connection_.run_script("PRAGMA synchronous = FULL"); }

 private:
  SqliteConnection& connection_;
};

base::fs::path folder_of(const base::fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : base::fs::path(".");
}

void forget_older_copies(const base::fs::path& path) {
  const std::string begin = path.filename().string() + kCopyMark;
  std::vector<base::fs::path> copies;
  for (const auto& entry : base::fs::directory_iterator(folder_of(path))) {
    if (entry.path().filename().string().starts_with(begin)) copies.push_back(entry.path());
  }
  std::ranges::sort(copies);  // by time, which their names have
  for (std::size_t i = 0; i + kCopies < copies.size(); ++i) base::fs::remove(copies[i]);
}

// As it is on the disk.
void keep_copy(const base::fs::path& path) {
  base::fs::path unfinished = path;
  unfinished += ".copy";
  base::fs::path copy = path;
  copy += kCopyMark + base::to_amz_date(base::SystemClock().now());
  try {
    base::fs::remove(unfinished);
    copy_databases({{path, unfinished}});
    // Of the same second, from a start that was cut short: that one is of before, this one is not.
    if (base::fs::exists(copy)) {
      base::fs::remove(unfinished);
    } else {
      base::fs::rename(unfinished, copy);
    }
    base::sync_directory(folder_of(path));
    forget_older_copies(path);
  } catch (const std::exception& error) {
    std::error_code ignored;
    base::fs::remove(unfinished, ignored);
    const auto* const own = dynamic_cast<const Error*>(&error);
    throw Error(
        own != nullptr ? own->code() : ErrorCode::unavailable,
        "the schema of database '" + path.string() +
            "' is to change, and no copy of it could be made before; nothing was changed: " +
            error.what());
  }
  base::log_info("the database's schema changes; a copy as it was is kept",
                 {{"database", path.string()}, {"copy", copy.string()}});
}

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(base::fs::path path, const SqliteOptions& options)
      : path_(std::move(path)),
        options_(options),
        writer_(path_, {.cache_kib = options.cache_kib, .on_prepare = options.on_prepare}),
        wants_copy_(has_migrations()) {}

  void migrate(std::string_view component, const std::vector<Migration>& migrations) override {
    with_writer([&] {
      writer_.run_script(
          "CREATE TABLE IF NOT EXISTS andon_migration ("
          "component TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,"
          "PRIMARY KEY (component, position)) WITHOUT ROWID");
    });
    check_nothing_newer(component, migrations.size());
    if (wants_copy_ && lacks(component, migrations.size())) {
      keep_copy(path_);
      wants_copy_ = false;
    }
    for (std::size_t position = 0; position < migrations.size(); ++position) {
      apply(component, static_cast<std::int64_t>(position), migrations[position]);
    }
  }

 private:
  void do_write(const Statements& work) override {
    with_writer([&] { run_transaction(writer_, "BEGIN IMMEDIATE", work); });
  }

  void do_write_unsynced(const Statements& work) override {
    with_writer([&] {
      const UnsyncedCommits unsynced(writer_);
      run_transaction(writer_, "BEGIN IMMEDIATE", work);
    });
  }

  void do_read(const Statements& work) const override {
    std::unique_ptr<SqliteConnection> reader = take_reader();
    try {
      run_transaction(*reader, "BEGIN", work);
    } catch (...) {
      return_reader(std::move(reader));
      throw;
    }
    return_reader(std::move(reader));
  }

  template <typename Work>
  void with_writer(const Work& work) {
    {
      std::unique_lock lock(mutex_);
      if (writing_thread_ == std::this_thread::get_id()) {
        throw Error(ErrorCode::internal, "a write transaction was begun inside another");
      }
      // First come, first served: who writes one transaction after the other must not keep the
      // lock from those who want it once.
      const std::uint64_t place = next_place_++;
      waiting_writers_.push_back(place);
      const bool is_my_turn = turn_.wait_for(lock, options_.lock_timeout, [&] {
        return writing_thread_ == std::thread::id() && waiting_writers_.front() == place;
      });
      std::erase(waiting_writers_, place);
      if (!is_my_turn) {
        turn_.notify_all();
        throw_busy("write to");
      }
      writing_thread_ = std::this_thread::get_id();
    }
    const auto release = [&] {
      {
        const std::lock_guard lock(mutex_);
        writing_thread_ = std::thread::id();
      }
      turn_.notify_all();
    };
    try {
      work();
    } catch (...) {
      release();
      throw;
    }
    release();
  }

  [[nodiscard]] std::unique_ptr<SqliteConnection> take_reader() const {
    {
      std::unique_lock lock(mutex_);
      if (!turn_.wait_for(lock, options_.lock_timeout,
                          [&] { return readers_in_use_ < options_.max_readers; })) {
        throw_busy("read");
      }
      ++readers_in_use_;
      if (!idle_readers_.empty()) {
        auto reader = std::move(idle_readers_.back().connection);
        idle_readers_.pop_back();
        return reader;
      }
    }
    try {
      return std::make_unique<SqliteConnection>(
          path_, ConnectionOptions{.cache_kib = options_.cache_kib,
                                   .access = Access::read_only,
                                   .on_prepare = options_.on_prepare});
    } catch (...) {
      return_reader(nullptr);
      throw;
    }
  }

  void return_reader(std::unique_ptr<SqliteConnection> reader) const {
    std::unique_ptr<SqliteConnection> unused;  // closed without the mutex
    {
      const std::lock_guard lock(mutex_);
      --readers_in_use_;
      const auto now = std::chrono::steady_clock::now();
      if (reader) idle_readers_.push_back({std::move(reader), now});
      // The one at the front has been unused for longest.
      if (idle_readers_.size() > kIdleReaders && idle_readers_.front().since + kKeptUnused < now) {
        unused = std::move(idle_readers_.front().connection);
        idle_readers_.erase(idle_readers_.begin());
      }
    }
    turn_.notify_all();
  }

  void apply(std::string_view component, std::int64_t position, const Migration& migration) {
    with_writer([&] {
      run_transaction(writer_, "BEGIN IMMEDIATE", [&](Transaction& tx) {
        const auto applied =
            tx.query_one("SELECT name FROM andon_migration WHERE component = $1 AND position = $2",
                         {std::string(component), position});
        if (applied) {
          if (applied->text(0) != migration.name) throw_other_history(component, applied->text(0));
          return;
        }
        writer_.run_script(migration.sql);
        tx.execute("INSERT INTO andon_migration (component, position, name) VALUES ($1, $2, $3)",
                   {std::string(component), position, std::string(migration.name)});
      });
    });
  }

  bool has_migrations() {
    return !writer_.query("SELECT 1 FROM sqlite_schema WHERE name = 'andon_migration'", {})
                .empty() &&
           !writer_.query("SELECT 1 FROM andon_migration LIMIT 1", {}).empty();
  }

  bool lacks(std::string_view component, std::size_t known) const {
    return read([&](Transaction& tx) {
      const auto applied = tx.query_one("SELECT count(*) FROM andon_migration WHERE component = $1",
                                        {std::string(component)});
      return applied->integer(0) < static_cast<std::int64_t>(known);
    });
  }

  void check_nothing_newer(std::string_view component, std::size_t known) const {
    read([&](Transaction& tx) {
      const auto newer =
          tx.query_one("SELECT name FROM andon_migration WHERE component = $1 AND position >= $2",
                       {std::string(component), static_cast<std::int64_t>(known)});
      if (newer) throw_other_history(component, newer->text(0), "a newer version of andon");
    });
  }

  [[noreturn]] void throw_other_history(std::string_view component, const std::string& migration,
                                        const char* by = "another version of andon") const {
    throw Error(ErrorCode::failed_precondition,
                "database '" + path_.string() + "' was written by " + by + " (" +
                    std::string(component) + ": " + migration +
                    "); start that version, or restore a backup of before");
  }

  [[noreturn]] void throw_busy(std::string_view what) const {
    throw Error(ErrorCode::unavailable, "waited " + std::to_string(options_.lock_timeout.count()) +
                                            " ms to " + std::string(what) + " database '" +
                                            path_.string() + "' in vain: it is busy; try again");
  }

  const base::fs::path path_;
  const SqliteOptions options_;
  mutable std::mutex mutex_;  // guards what follows, except the inside of writer_
  mutable std::condition_variable turn_;
  std::uint64_t next_place_ = 0;
  std::deque<std::uint64_t> waiting_writers_;  // in the order in which they came
  std::thread::id writing_thread_;             // whose turn writer_ is; none: nobody's
  SqliteConnection writer_;
  bool wants_copy_;  // before the next migration
  mutable std::size_t readers_in_use_ = 0;
  struct IdleReader {
    std::unique_ptr<SqliteConnection> connection;
    std::chrono::steady_clock::time_point since;
  };
  mutable std::vector<IdleReader> idle_readers_;  // the last one used at the back
};

void make_database(const base::fs::path& path) {
  base::fs::path log = path;
  log += "-wal";
  std::error_code error;
  if (base::fs::file_size(log, error) > 0 && !error) {
    throw Error(ErrorCode::data_corrupted,
                "database '" + path.string() + "' is missing, but its write-ahead log '" +
                    log.string() + "' is there: restore a backup, or put the file back");
  }
  base::fs::path unfinished = path;
  unfinished += ".new";
  base::fs::remove(unfinished);
  // SQLite would make the file with the umask's mode; its -wal and -shm take this one's.
  base::open_file(unfinished, O_RDWR | O_CREAT, 0600).reset();
  { const SqliteConnection connection(unfinished, {}); }
  base::fs::rename(unfinished, path);
  base::sync_directory(folder_of(path));
}

}  // namespace

std::unique_ptr<Database> open_sqlite(const base::fs::path& path, const SqliteOptions& options) {
  if (base::fs::exists(path)) {
    check_quickly(path, options.absent);
  } else if (options.absent == IfAbsent::make) {
    make_database(path);
  } else {
    throw Error(ErrorCode::data_corrupted,
                "database '" + path.string() +
                    "' is missing, where one with content is expected; nothing was changed: "
                    "restore a backup, or put the file back");
  }
  return std::make_unique<SqliteDatabase>(path, options);
}

}  // namespace andon::store
