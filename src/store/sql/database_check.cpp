// SPDX-License-Identifier: Apache-2.0
#include "store/sql/database_check.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/error/error.hpp"
#include "store/sql/sqlite_connection.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;

constexpr std::uintmax_t kWhollyUpTo = 16U << 20U;
constexpr int kMaxProblems = 100;
// Of SQLite's file format: the header's size, and where the page size and count stand in it.
constexpr std::size_t kHeaderBytes = 100;
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::string_view kAdvice =
    "; nothing was changed: restore a backup, or put the file back that belongs here";

[[noreturn]] void throw_damaged(const path& file, const std::string& how) {
  throw Error(ErrorCode::data_corrupted,
              "database '" + file.string() + "' " + how + std::string(kAdvice));
}

struct CloseSqlite {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
};

// Through SQLite's own descriptor: where this process has the database open already, to open and
// close the file by ourselves would drop SQLite's locks (POSIX drops all that a process has on a
// file with any of its descriptors), and another process would take the log away as the last user.
std::string read_header(const path& file) {
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, CloseSqlite> handle(raw);
  sqlite3_file* opened_file = nullptr;
  sqlite3_int64 size = 0;
  std::string header;
  const bool is_read = [&] {
    if (opened != SQLITE_OK) return false;
    sqlite3_file_control(raw, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&opened_file));
    if (opened_file == nullptr || opened_file->pMethods == nullptr ||
        opened_file->pMethods->xFileSize(opened_file, &size) != SQLITE_OK) {
      return false;
    }
    header.resize(std::min(kHeaderBytes, static_cast<std::size_t>(size)));
    return header.empty() ||
           opened_file->pMethods->xRead(opened_file, header.data(), static_cast<int>(header.size()),
                                        0) == SQLITE_OK;
  }();
  if (!is_read) throw base::system_error("cannot read '" + file.string() + "'", errno);
  return header;
}

std::size_t page_size_of(const std::string& header) {
  const auto byte = [&header](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(header[at]));
  };
  const std::size_t size = byte(16) << 8U | byte(17);  // big-endian; 1 stands for 65536
  return size <= 1 ? 65'536U : size;
}

bool has_log(path file) {
  std::error_code error;
  const std::uintmax_t size = base::fs::file_size(file += "-wal", error);
  return !error && size > 0;
}

std::vector<std::string> texts(SqliteConnection& connection, std::string_view sql) {
  std::vector<std::string> lines;
  for (const Row& row : connection.query(sql, {})) lines.push_back(row.text(0));
  return lines;
}

std::vector<std::string> problems_of(SqliteConnection& connection, const std::string& pragma) {
  std::vector<std::string> lines =
      texts(connection, "PRAGMA " + pragma + "(" + std::to_string(kMaxProblems) + ")");
  if (lines.size() == 1 && lines.front() == "ok") lines.clear();
  return lines;
}

}  // namespace

void check_quickly(const path& file, IfAbsent absent) {
  const std::string header = read_header(file);
  if (header.empty()) throw_damaged(file, "is empty (0 bytes): its content was lost");
  if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) {
    throw_damaged(file, "is damaged: it does not begin as a database does");
  }
  // A killed process may have left half a page at the end; then it is whole in the log.
  if (!has_log(file) && base::fs::file_size(file) % page_size_of(header) != 0) {
    throw_damaged(file, "is damaged: it ends within a page");
  }
  // The rest is SQLite's to say; what it reports is data_corrupted already. A header that counts
  // more pages than there are makes it refuse, unless the pages are in the write-ahead log.
  SqliteConnection connection(file, {.access = Access::read_only, .journal = Journal::as_it_is});
  if (base::fs::file_size(file) <= kWhollyUpTo) {
    const std::vector<std::string> problems = problems_of(connection, "quick_check");
    if (!problems.empty()) throw_damaged(file, "is damaged: " + problems.front());
  }
  if (absent == IfAbsent::refuse &&
      connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'andon_migration'", {}).empty()) {
    throw_damaged(file, "holds nothing of andon's, where a database with content is expected");
  }
}

std::vector<std::string> check_wholly(const path& file, const std::stop_token& stop) {
  if (!base::fs::exists(file)) {
    throw Error(ErrorCode::not_found, "there is no database '" + file.string() + "'");
  }
  try {
    check_quickly(file, IfAbsent::refuse);
    SqliteConnection connection(file, {.access = Access::read_only, .journal = Journal::as_it_is});
    connection.give_up_when([&stop] { return stop.stop_requested(); });
    std::vector<std::string> problems = problems_of(connection, "integrity_check");
    for (const Row& row : connection.query("PRAGMA foreign_key_check", {})) {
      if (problems.size() >= kMaxProblems) break;
      problems.push_back("a row of " + row.text(0) + " refers to one of " + row.text(2) +
                         " that is not there");
    }
    return problems;
  } catch (const Error& error) {
    if (stop.stop_requested()) return {};
    if (error.code() != ErrorCode::data_corrupted) throw;
    return {error.message()};
  }
}

void copy_databases(const std::vector<DatabaseCopy>& copies) {
  std::vector<std::unique_ptr<SqliteConnection>> sources;
  for (const DatabaseCopy& copy : copies) {
    sources.push_back(std::make_unique<SqliteConnection>(
        copy.from, ConnectionOptions{.access = Access::read_only, .journal = Journal::as_it_is}));
  }
  for (const auto& source : sources) {
    source->run_script("BEGIN");
    (void)source->query("SELECT count(*) FROM sqlite_schema", {});  // takes the snapshot
  }
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const base::UniqueFd made = base::open_file(copies[i].to, O_RDWR | O_CREAT | O_EXCL, 0600);
    sources[i]->copy_to(copies[i].to);
    if (fsync(made.get()) != 0) {
      throw base::system_error("cannot sync '" + copies[i].to.string() + "'", errno);
    }
    base::sync_directory(copies[i].to.parent_path());
    sources[i]->roll_back();
  }
}

}  // namespace andon::store
