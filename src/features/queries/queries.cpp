// SPDX-License-Identifier: Apache-2.0
#include "features/queries/queries.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "features/groups/schema.hpp"
#include "features/queries/query_text.hpp"

namespace andon::features {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kWriteBytes = 1U << 20U;
constexpr std::size_t kReadBytes = 1U << 20U;
constexpr std::size_t kMostPageBytes = 8U << 20U;
constexpr int kSystemError = 1;
constexpr int kUserError = 2;

struct Reason {
  std::string text;
  int category;
};

// As Athena begins the reasons of a state.
Reason reason_of(const Error& error, const std::map<std::string, std::string>& denied) {
  const std::string& message = error.message();
  constexpr std::string_view kNoTable = "no such table: ";
  switch (error.code()) {
    case ErrorCode::not_found:
      if (message.starts_with(kNoTable)) {
        const std::string table = base::to_lower(message.substr(kNoTable.size()));
        const auto refused = denied.find(table.substr(table.rfind('.') + 1));
        if (refused != denied.end()) {
          return {"Insufficient permissions to execute the query. " + refused->second, kUserError};
        }
        return {"TABLE_NOT_FOUND: Table '" + table + "' does not exist", kUserError};
      }
      return {(message.starts_with("no such column") ? "COLUMN_NOT_FOUND: " : "SYNTAX_ERROR: ") +
                  message,
              kUserError};
    case ErrorCode::invalid_argument:
      return {"SYNTAX_ERROR: " + message, kUserError};
    case ErrorCode::permission_denied:
    case ErrorCode::unsupported:
      return {"NOT_SUPPORTED: " + message, kUserError};
    case ErrorCode::resource_exhausted:
      return {"Query exhausted resources: " + message, kUserError};
    case ErrorCode::deadline_exceeded:
      return {"Query timeout: " + message, kUserError};
    default:
      return {message, kSystemError};
  }
}

void write_all(const base::UniqueFd& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error("cannot write the result of a query", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

store::ByteSource source_of(const base::UniqueFd& file) {
  const int descriptor = file.get();
  return [descriptor](char* buffer, std::size_t size) {
    while (true) {
      const ssize_t count = ::read(descriptor, buffer, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw base::system_error("cannot read the result of a query", errno);
    }
  };
}

// Nobody finds it, and it is gone with this program.
base::UniqueFd unnamed_file(const base::fs::path& directory) {
  return base::open_file(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

store::QueryView view_of(const OfflineTable& table) {
  store::QueryView view{.name = table.name, .table = offline_table(table.id), .columns = {}};
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    view.columns.push_back({base::to_lower(table.columns[i].name), offline_column(i)});
  }
  for (const std::string_view own : {kWriteTime, kInvocationTime, kIsDeleted}) {
    view.columns.push_back({std::string(own), std::string(own)});
  }
  return view;
}

}  // namespace

Queries::Queries(store::Database& database, base::fs::path path, store::ObjectStore& objects,
                 Groups& groups, const base::Clock& clock, QueryOptions options)
    : executions(database, clock),
      path_(std::move(path)),
      objects_(objects),
      groups_(groups),
      options_(std::move(options)) {
  base::make_directories(options_.directory, 0700);
}

Queries::~Queries() {
  stop();
}

void Queries::run() {
  executions.requeue();
  for (std::size_t i = 0; i < options_.at_once; ++i) threads_.emplace_back([this] { work(); });
}

void Queries::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

QueryExecution Queries::start(
    QueryRequest request, const std::optional<std::string>& token, const TableRefusal& refusal,
    const std::function<void(const std::string& bucket, const std::string& key)>& check_output) {
  check_is_query(request.sql);
  QueryExecution execution{.id = base::random_uuid()};
  const S3Place place = parse_s3_uri(request.output_location);
  execution.bucket = place.bucket;
  execution.object = (place.prefix.empty() ? "" : place.prefix + "/") + execution.id + ".csv";
  check_output(execution.bucket, execution.object);
  const auto names = names_in(request.sql);
  for (const OfflineTable& table : groups_.tables()) {
    if (!names.contains(table.name)) continue;
    if (auto why = refusal(table)) {
      execution.denied[table.name] = *std::move(why);
    } else {
      execution.tables.push_back(table.id);
    }
  }
  execution.request = std::move(request);
  execution = executions.add(std::move(execution), token);
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_all();
  return execution;
}

void Queries::cancel(const std::string& id) {
  auto execution = executions.find(id);
  if (!execution) throw Error(ErrorCode::not_found, "QueryExecution " + id + " was not found");
  execution->state = QueryState::cancelled;
  execution->reason = "Query cancelled by user";
  executions.finish(*execution);
  const std::lock_guard lock(mutex_);
  const auto running = running_.find(id);
  if (running != running_.end()) running->second = true;
}

bool Queries::is_wanted(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto running = running_.find(id);
  return !stopping_ && running != running_.end() && !running->second;
}

void Queries::work() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      // Now and then also unasked: another thread may have been told of two at once.
      changed_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_ || is_woken_; });
      if (stopping_) return;
      is_woken_ = false;
    }
    try {
      while (auto next = executions.take_next()) {
        run_one(*std::move(next));
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
    } catch (const std::exception& error) {
      base::log_error("queries cannot be taken up; tried again in a second",
                      {{"error", std::string(error.what())}});
    }
  }
}

void Queries::run_one(QueryExecution execution) {
  {
    const std::lock_guard lock(mutex_);
    running_[execution.id] = false;
  }
  const std::string id = execution.id;
  bool is_left = false;  // to the next program
  try {
    // Cancelled between the two: finish() changes nothing any more.
    fill(execution);
    execution.state = QueryState::succeeded;
  } catch (const Error& error) {
    const Reason why = reason_of(error, execution.denied);
    execution.state = QueryState::failed;
    execution.reason = why.text;
    execution.error_category = why.category;
    const std::lock_guard lock(mutex_);
    is_left = stopping_ && error.code() == ErrorCode::cancelled;
  } catch (const std::exception& error) {
    execution.state = QueryState::failed;
    execution.reason = error.what();
    execution.error_category = kSystemError;
  }
  if (!is_left) executions.finish(execution);
  const std::lock_guard lock(mutex_);
  running_.erase(id);
}

std::vector<OfflineTable> Queries::tables_of(const QueryExecution& execution) const {
  std::vector<OfflineTable> tables = groups_.tables();
  std::erase_if(tables, [&](const OfflineTable& table) {
    return std::ranges::find(execution.tables, table.id) == execution.tables.end();
  });
  return tables;
}

void Queries::fill(QueryExecution& execution) {
  std::vector<store::QueryView> views;
  TableNames names;
  for (const OfflineTable& table : tables_of(execution)) {
    views.push_back(view_of(table));
    names.insert(table.database + "." + table.name);
  }
  const std::string sql = sqlite_text(execution.request.sql, names);
  const base::UniqueFd file = unnamed_file(options_.directory);
  store::GuardedQuery query(path_, views, options_.limits);
  std::optional<ResultTypes> types;
  std::string csv;
  query.run(sql,
            {.columns =
                 [&](const auto& columns) {
                   types.emplace(columns);
                   append_csv_row(csv, types->header());
                 },
             .row =
                 [&](const auto& values) {
                   append_csv_row(csv, types->add(values));
                   if (csv.size() < kWriteBytes) return;
                   write_all(file, csv);
                   csv.clear();
                 }},
            [&] { return !is_wanted(execution.id); });
  write_all(file, csv);
  execution.scanned_bytes = query.bytes_read();
  execution.columns = types->columns();
  if (lseek(file.get(), 0, SEEK_SET) < 0) {
    throw base::system_error("cannot read the result of a query", errno);
  }
  execution.etag =
      objects_
          .put(execution.bucket, execution.object, source_of(file), {.content_type = "text/csv"})
          .etag;
}

ResultPage Queries::results(const QueryExecution& execution, std::uint64_t from,
                            std::size_t limit) const {
  if (execution.state != QueryState::succeeded) {
    throw Error(ErrorCode::failed_precondition, "Query has not yet finished. Current state: " +
                                                    std::string(to_string(execution.state)));
  }
  const auto object = objects_.open(execution.bucket, execution.object);
  if (!object) {
    throw Error(ErrorCode::not_found, "the result s3://" + execution.bucket + "/" +
                                          execution.object + " is not there any more");
  }
  if (object->info.etag != execution.etag || from > object->info.size) {
    throw Error(ErrorCode::data_corrupted, "the result s3://" + execution.bucket + "/" +
                                               execution.object +
                                               " is another one now, or the token is not of it");
  }
  ResultPage page{.columns = execution.columns, .rows = {}, .next = {}};
  std::string bytes;
  std::uint64_t read = from;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kReadBytes);
    const ssize_t count =
        pread(object->file.get(), bytes.data() + before, kReadBytes, static_cast<off_t>(read));
    if (count < 0) throw base::system_error("cannot read the result of a query", errno);
    bytes.resize(before + static_cast<std::size_t>(count));
    read += static_cast<std::uint64_t>(count);
    const bool is_end = read >= object->info.size;
    CsvRows parsed = parse_csv_rows(bytes, page.columns.size(), limit, is_end);
    // Many large rows make a shorter page, but one row at least.
    const bool is_enough = parsed.rows.size() >= limit || is_end ||
                           (!parsed.rows.empty() && bytes.size() >= kMostPageBytes);
    if (!is_enough) continue;
    page.rows = std::move(parsed.rows);
    if (from + parsed.bytes < object->info.size) page.next = from + parsed.bytes;
    return page;
  }
}

}  // namespace andon::features
