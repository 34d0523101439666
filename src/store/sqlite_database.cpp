// SPDX-License-Identifier: Apache-2.0
// One writing connection, and reading connections made as they are needed. SQLite allows one
// writer a file: threads of this process queue for it here, other processes in SQLite's own lock.
#include <fcntl.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "store/sqlite_connection.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

// Kept open when nobody reads; an idle program holds no more than this.
constexpr std::size_t kIdleReaders = 1;

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
  connection.execute(begin, {});
  try {
    SqliteTransaction transaction(connection);
    work(transaction);
    connection.execute("COMMIT", {});
  } catch (...) {
    connection.roll_back();
    throw;
  }
}

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(base::fs::path path, const SqliteOptions& options)
      : path_(std::move(path)),
        options_(options),
        writer_(path_, {.cache_kib = options.cache_kib}) {}

  void write(const std::function<void(Transaction&)>& work) override {
    with_writer([&] { run_transaction(writer_, "BEGIN IMMEDIATE", work); });
  }

  void read(const std::function<void(Transaction&)>& work) const override {
    std::unique_ptr<SqliteConnection> reader = take_reader();
    try {
      run_transaction(*reader, "BEGIN", work);
    } catch (...) {
      return_reader(std::move(reader));
      throw;
    }
    return_reader(std::move(reader));
  }

  void migrate(std::string_view component, const std::vector<Migration>& migrations) override {
    with_writer([&] {
      writer_.run_script(
          "CREATE TABLE IF NOT EXISTS andon_migration ("
          "component TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,"
          "PRIMARY KEY (component, position)) WITHOUT ROWID");
    });
    for (std::size_t position = 0; position < migrations.size(); ++position) {
      apply(component, static_cast<std::int64_t>(position), migrations[position]);
    }
    check_nothing_newer(component, migrations.size());
  }

 private:
  template <typename Work>
  void with_writer(const Work& work) {
    {
      std::unique_lock lock(mutex_);
      if (writing_thread_ == std::this_thread::get_id()) {
        throw Error(ErrorCode::internal, "a write transaction was begun inside another");
      }
      if (!turn_.wait_for(lock, options_.lock_timeout,
                          [&] { return writing_thread_ == std::thread::id(); })) {
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
        auto reader = std::move(idle_readers_.back());
        idle_readers_.pop_back();
        return reader;
      }
    }
    try {
      return std::make_unique<SqliteConnection>(
          path_, ConnectionOptions{.cache_kib = options_.cache_kib, .access = Access::read_only});
    } catch (...) {
      return_reader(nullptr);
      throw;
    }
  }

  void return_reader(std::unique_ptr<SqliteConnection> reader) const {
    {
      const std::lock_guard lock(mutex_);
      --readers_in_use_;
      if (reader && idle_readers_.size() < kIdleReaders) idle_readers_.push_back(std::move(reader));
    }
    turn_.notify_all();
  }

  void apply(std::string_view component, std::int64_t position, const Migration& migration) {
    with_writer([&] {
      run_transaction(writer_, "BEGIN IMMEDIATE", [&](Transaction& transaction) {
        const auto applied = transaction.query_one(
            "SELECT name FROM andon_migration WHERE component = $1 AND position = $2",
            {std::string(component), position});
        if (applied) {
          if (applied->text(0) != migration.name) throw_other_history(component, applied->text(0));
          return;
        }
        writer_.run_script(migration.sql);
        transaction.execute(
            "INSERT INTO andon_migration (component, position, name) VALUES ($1, $2, $3)",
            {std::string(component), position, std::string(migration.name)});
      });
    });
  }

  void check_nothing_newer(std::string_view component, std::size_t known) const {
    read([&](Transaction& transaction) {
      const auto newer = transaction.query_one(
          "SELECT name FROM andon_migration WHERE component = $1 AND position >= $2",
          {std::string(component), static_cast<std::int64_t>(known)});
      if (newer) throw_other_history(component, newer->text(0));
    });
  }

  [[noreturn]] void throw_other_history(std::string_view component,
                                        const std::string& migration) const {
    throw Error(ErrorCode::failed_precondition, "database '" + path_.string() +
                                                    "' was written by another version of andon (" +
                                                    std::string(component) + ": " + migration +
                                                    "); start that version, or restore a backup");
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
  std::thread::id writing_thread_;  // whose turn writer_ is; none: nobody's
  SqliteConnection writer_;
  mutable std::size_t readers_in_use_ = 0;
  mutable std::vector<std::unique_ptr<SqliteConnection>> idle_readers_;
};

}  // namespace

std::unique_ptr<Database> open_sqlite(const base::fs::path& path, const SqliteOptions& options) {
  // SQLite would make the file with the umask's mode; its -wal and -shm take this one's.
  base::open_file(path, O_RDWR | O_CREAT, 0600).reset();
  base::sync_directory(path.has_parent_path() ? path.parent_path() : base::fs::path("."));
  return std::make_unique<SqliteDatabase>(path, options);
}

}  // namespace andon::store
