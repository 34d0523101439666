// SPDX-License-Identifier: Apache-2.0
#include "store/sql/sqlite_connection.hpp"

#include <cerrno>
#include <charconv>

#include "base/error/error.hpp"
#include "store/sql/sqlite_values.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxStatements = 64;

ErrorCode translate(int extended_code, int system_error_number) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return ErrorCode::already_exists;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return ErrorCode::failed_precondition;
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::resource_exhausted;
    case SQLITE_IOERR:
      return system_error_number == ENOSPC || system_error_number == EDQUOT
                 ? ErrorCode::resource_exhausted
                 : ErrorCode::internal;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::data_corrupted;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorCode::failed_precondition;
    default:
      return ErrorCode::internal;
  }
}

std::string_view advice(ErrorCode code) {
  switch (code) {
    case ErrorCode::resource_exhausted:
      return "; free disk space and try again";
    case ErrorCode::unavailable:
      return "; another process holds the database, try again";
    case ErrorCode::data_corrupted:
      return "; the file is damaged: restore a backup";
    default:
      return "";
  }
}

// Leaves a cached statement ready for its next use, whatever happened in this one.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

// Bound memory outlives the statement's step, so SQLite need not copy it (SQLITE_STATIC).
struct BindValue {
  sqlite3_stmt* statement;
  int index;

  int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
  int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
  int operator()(double value) const { return sqlite3_bind_double(statement, index, value); }
  int operator()(const std::string& text) const {
    return sqlite3_bind_text64(statement, index, text.data(), text.size(), nullptr, SQLITE_UTF8);
  }
  int operator()(const Blob& blob) const {
    return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), nullptr);
  }
};

}  // namespace

SqliteConnection::SqliteConnection(const base::fs::path& path, const ConnectionOptions& options)
    : path_(path), on_prepare_(options.on_prepare) {
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(raw);
  if (opened != SQLITE_OK) fail("opening it");
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
  run_script("PRAGMA cache_size = -" + std::to_string(options.cache_kib));
  if (options.journal == Journal::write_ahead) run_script("PRAGMA journal_mode = WAL");
  run_script("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  // A WAL that one large transaction has grown is cut back to this at the next checkpoint.
  run_script("PRAGMA journal_size_limit = 4194304");
  if (options.access == Access::read_only) {
    run_script("PRAGMA query_only = ON");
    // Who only reads leaves the files as they are, also when it is the last to go.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  run_script("SELECT count(*) FROM sqlite_schema");
}

std::vector<Row> SqliteConnection::query(std::string_view sql,
                                         const std::vector<SqlValue>& values) {
  sqlite3_stmt* statement = prepare(sql);
  const ResetAtEnd reset(statement);
  bind(statement, sql, values);
  std::vector<Row> rows;
  while (true) {
    const int result = sqlite3_step(statement);
    if (result == SQLITE_DONE) return rows;
    if (result != SQLITE_ROW) fail(sql);
    const int columns = sqlite3_column_count(statement);
    std::vector<SqlValue> row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) row.push_back(column_value(statement, column));
    rows.emplace_back(std::move(row));
  }
}

std::int64_t SqliteConnection::execute(std::string_view sql, const std::vector<SqlValue>& values) {
  sqlite3_stmt* statement = prepare(sql);
  const ResetAtEnd reset(statement);
  bind(statement, sql, values);
  int result = SQLITE_ROW;
  while (result == SQLITE_ROW) result = sqlite3_step(statement);
  if (result != SQLITE_DONE) fail(sql);
  return sqlite3_stmt_readonly(statement) != 0 ? 0 : sqlite3_changes64(handle_.get());
}

void SqliteConnection::run_script(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(handle_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

void SqliteConnection::roll_back() noexcept {
  if (sqlite3_get_autocommit(handle_.get()) != 0) return;
  // An error here means that SQLite has rolled back by itself.
  sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void SqliteConnection::give_up_when(std::function<bool()> is_over) {
  constexpr int kInstructions = 10'000;
  is_over_ = std::move(is_over);
  sqlite3_progress_handler(
      handle_.get(), kInstructions,
      [](void* is_over_at) {
        return (*static_cast<const std::function<bool()>*>(is_over_at))() ? 1 : 0;
      },
      &is_over_);
}

void SqliteConnection::copy_to(const base::fs::path& target) {
  SqliteConnection copy(target, {.journal = Journal::as_it_is});
  sqlite3_backup* const backup =
      sqlite3_backup_init(copy.handle_.get(), "main", handle_.get(), "main");
  if (backup == nullptr) copy.fail("beginning a copy");
  const int stepped = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE) copy.fail("copying '" + path_.string() + "' into it");
}

sqlite3_stmt* SqliteConnection::prepare(std::string_view sql) {
  const auto found = statements_.find(std::string(sql));
  if (found != statements_.end()) return found->second.get();
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int prepared = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &raw, &rest);
  Statement statement(raw);
  if (prepared != SQLITE_OK) fail(sql);
  const std::string_view tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (!statement || tail.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    throw Error(ErrorCode::internal, "not exactly one SQL statement: " + std::string(sql));
  }
  if (on_prepare_) on_prepare_(sql);
  if (statements_.size() >= kMaxStatements) statements_.clear();
  return statements_.emplace(std::string(sql), std::move(statement)).first->second.get();
}

void SqliteConnection::bind(sqlite3_stmt* statement, std::string_view sql,
                            const std::vector<SqlValue>& values) {
  const int parameters = sqlite3_bind_parameter_count(statement);
  std::size_t highest = 0;
  for (int index = 1; index <= parameters; ++index) {
    const char* name = sqlite3_bind_parameter_name(statement, index);
    const std::string_view text = name == nullptr ? std::string_view() : std::string_view(name);
    std::size_t number = 0;
    if (text.starts_with('$')) {
      std::from_chars(text.data() + 1, text.data() + text.size(), number);
    }
    if (number == 0 || number > values.size()) {
      throw Error(ErrorCode::internal, "parameter '" + std::string(text) + "' has no value among " +
                                           std::to_string(values.size()) +
                                           " in: " + std::string(sql));
    }
    highest = std::max(highest, number);
    if (std::visit(BindValue{statement, index}, values[number - 1]) != SQLITE_OK) fail(sql);
  }
  if (highest < values.size()) {
    throw Error(ErrorCode::internal, "more values than parameters in: " + std::string(sql));
  }
}

void SqliteConnection::fail(std::string_view doing) const {
  const int extended = handle_ ? sqlite3_extended_errcode(handle_.get()) : SQLITE_NOMEM;
  const int system = handle_ ? sqlite3_system_errno(handle_.get()) : 0;
  const ErrorCode code = translate(extended, system);
  throw Error(code, "database '" + path_.string() + "': " + sqlite3_errstr(extended) + " (code " +
                        std::to_string(extended) + ") at: " + std::string(doing) +
                        std::string(advice(code)));
}

}  // namespace andon::store
