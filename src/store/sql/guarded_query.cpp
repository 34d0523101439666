// SPDX-License-Identifier: Apache-2.0
#include "store/sql/guarded_query.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "store/sql/sql_tokens.hpp"
#include "store/sql/sqlite_values.hpp"
#include "store/sql/temporary_quota.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kInstructionsBetweenLooks = 100;
constexpr std::uint64_t kMostUnfoldedParts = 1'000;
constexpr std::size_t kMostMessage = 500;

// What a query may call: what neither reaches outside nor makes much out of little.
constexpr auto kFunctions = std::to_array<std::string_view>({
    "abs",         "acos",         "asin",         "atan",         "atan2",
    "avg",         "ceil",         "ceiling",      "coalesce",     "cos",
    "count",       "cume_dist",    "current_date", "current_time", "current_timestamp",
    "date",        "datetime",     "degrees",      "dense_rank",   "exp",
    "first_value", "floor",        "group_concat", "hex",          "ifnull",
    "iif",         "json_extract", "lag",          "last_value",   "lead",
    "length",      "like",         "ln",           "log",          "log10",
    "log2",        "lower",        "ltrim",        "max",          "min",
    "mod",         "nth_value",    "ntile",        "nullif",       "percent_rank",
    "pi",          "pow",          "power",        "radians",      "random",
    "rank",        "replace",      "round",        "row_number",   "rtrim",
    "sign",        "sin",          "sqrt",         "strftime",     "substr",
    "substring",   "sum",          "tan",          "time",         "total",
    "trim",        "trunc",        "typeof",       "unixepoch",    "upper",
});

std::string as_name(std::string_view name) {
  std::string made = "\"";
  for (const char c : name) {
    made += c;
    if (c == '"') made += c;
  }
  return made + '"';
}

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

}  // namespace

class GuardedQuery::Implementation {
 public:
  Implementation(const base::fs::path& path, const std::vector<QueryView>& views,
                 const QueryLimits& limits)
      : limits_(limits), quota_limit_(limits.temporary_bytes) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(
        path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, TemporaryQuota::vfs());
    handle_.reset(raw);
    if (opened != SQLITE_OK) fail_setup();
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, 10'000);
    set_up();
    for (const QueryView& view : views) add(view);
    reserve_names();
    confine();
  }

  void run(std::string_view sql, const QuerySink& sink, const std::function<bool()>& is_over) {
    base::may_block("a query");
    const auto tokens = sql_tokens(sql);
    if (sql.size() > kMostSqlBytes) {
      throw Error(ErrorCode::invalid_argument, "a statement may have at most 262144 bytes");
    }
    if (unfolded_parts(tokens, kMostUnfoldedParts) > kMostUnfoldedParts) {
      throw Error(ErrorCode::resource_exhausted, "the WITH clause unfolds into more than " +
                                                     std::to_string(kMostUnfoldedParts) +
                                                     " subqueries");
    }
    with_names_ = with_names(tokens);
    for (const std::string& name : with_names_) {
      if (!is_reserved(name)) continue;
      throw Error(ErrorCode::invalid_argument,
                  "WITH may not define the name " + name + ": it is reserved");
    }
    is_over_ = &is_over;
    deadline_ = std::chrono::steady_clock::now() + limits_.time;
    memory_at_start_ = sqlite3_memory_used();
    TemporaryQuota quota(quota_limit_);
    quota_ = &quota;
    sqlite3_progress_handler(handle_.get(), kInstructionsBetweenLooks, look, this);
    const Statement statement = prepare(sql);
    sink.columns(columns_of(statement.get()));
    step_through(statement.get(), sink);
  }

  [[nodiscard]] std::int64_t bytes_read() const {
    int misses = 0;
    int unused = 0;
    sqlite3_db_status(handle_.get(), SQLITE_DBSTATUS_CACHE_MISS, &misses, &unused, 0);
    constexpr std::int64_t kPage = 4096;
    return std::int64_t{misses} * kPage;
  }

 private:
  struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  void script(const std::string& sql) {
    if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      fail_setup();
    }
  }

  void set_up() {
    sqlite3* const db = handle_.get();
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, nullptr);
    // A name in double quotes that is none is an error, not a text.
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    script(
        "PRAGMA cache_size = -4096; PRAGMA temp_store = FILE; PRAGMA mmap_size = 0;"
        "PRAGMA query_only = ON; PRAGMA case_sensitive_like = ON");
    // Takes as long as the product of its arguments, in one step.
    for (const char* name : {"trim", "ltrim", "rtrim"}) {
      sqlite3_create_function_v2(
          db, name, 2, SQLITE_UTF8, nullptr,
          [](sqlite3_context* context, int, sqlite3_value**) {
            sqlite3_result_error(context, "trim with characters is not supported here", -1);
          },
          nullptr, nullptr, nullptr);
    }
  }

  void add(const QueryView& view) {
    std::string columns;
    for (const QueryView::Column& column : view.columns) {
      if (!columns.empty()) columns += ", ";
      columns += as_name(column.source) + " AS " + as_name(column.name);
    }
    script("PRAGMA query_only = OFF");
    script("CREATE TEMP VIEW " + as_name(view.name) + " AS SELECT " + columns + " FROM main." +
           as_name(view.table));
    script("PRAGMA query_only = ON");
    tables_.emplace(base::to_lower(view.name), view.table);
  }

  // What stands for something of SQLite's own, or for a table of this database.
  [[nodiscard]] bool is_reserved(const std::string& name) const {
    return name.starts_with("sqlite_") || name.starts_with("pragma_") || reserved_.contains(name);
  }

  void reserve_names() {
    const auto collect = [](void* names, int, char** values, char**) {
      if (values[0] != nullptr) {
        static_cast<std::set<std::string, std::less<>>*>(names)->insert(base::to_lower(values[0]));
      }
      return 0;
    };
    for (const char* const sql : {"SELECT name FROM main.sqlite_schema", "PRAGMA module_list"}) {
      if (sqlite3_exec(handle_.get(), sql, collect, &reserved_, nullptr) != SQLITE_OK) fail_setup();
    }
    // The query's own tables may be covered by a name of WITH.
    for (const auto& [view, table] : tables_) reserved_.erase(view);
  }

  // From here on nothing of the connection can be changed.
  void confine() {
    sqlite3* const db = handle_.get();
    constexpr std::pair<int, int> kLimits[] = {
        {SQLITE_LIMIT_LENGTH, kMostValueBytes},
        {SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(kMostSqlBytes)},
        {SQLITE_LIMIT_COLUMN, 2'000},
        {SQLITE_LIMIT_EXPR_DEPTH, 200},
        {SQLITE_LIMIT_COMPOUND_SELECT, 50},
        {SQLITE_LIMIT_VDBE_OP, 250'000},
        {SQLITE_LIMIT_FUNCTION_ARG, 100},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1'000},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 0},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (const auto& [which, value] : kLimits) sqlite3_limit(db, which, value);
    sqlite3_set_authorizer(db, authorize, this);
  }

  static int authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* view) {
    auto& guard = *static_cast<Implementation*>(self);
    // The text is taken apart in here, too; what takes long there asks often.
    if (guard.should_stop()) return SQLITE_DENY;
    return guard.may(action, text_or_empty(first), text_or_empty(second), text_or_empty(database),
                     text_or_empty(view))
               ? SQLITE_OK
               : SQLITE_DENY;
  }

  bool may(int action, std::string_view first, std::string_view second, std::string_view database,
           std::string_view view) {
    switch (action) {
      case SQLITE_SELECT:
      case SQLITE_RECURSIVE:
        return true;
      case SQLITE_READ:
        return may_read(first, second, database, view);
      case SQLITE_FUNCTION:
        if (std::ranges::binary_search(kFunctions, base::to_lower(second))) return true;
        refused_ = "there is no function " + std::string(second) + " here";
        return false;
      default:
        refused_ = "only queries (SELECT, WITH) are allowed";
        return false;
    }
  }

  // Where no column is used (count(*)), SQLite asks with the names as they are written.
  bool may_read(std::string_view table, std::string_view column, std::string_view database,
                std::string_view view) {
    const std::string name = base::to_lower(table);
    if (database.empty() && column.empty() && with_names_.contains(name)) return true;
    if (database == "temp" || (database.empty() && column.empty())) {
      if (tables_.contains(name)) return true;
    }
    if (database == "main") {
      const auto through = tables_.find(base::to_lower(view));
      if (through != tables_.end() && through->second == table) return true;
      // A view that was merged into the query, of which rows are counted.
      const bool is_own =
          std::ranges::any_of(tables_, [&](const auto& one) { return one.second == table; });
      if (column.empty() && is_own) return true;
    }
    refused_ = "no such table: " + std::string(table);
    refused_code_ = ErrorCode::not_found;
    return false;
  }

  static int look(void* self) { return static_cast<Implementation*>(self)->should_stop() ? 1 : 0; }

  // Between two steps of SQLite, and now and then while it reads the text.
  bool should_stop() {
    if (stopped_ || quota_ == nullptr) return stopped_.has_value();
    if (std::chrono::steady_clock::now() > deadline_) {
      stopped_.emplace(ErrorCode::deadline_exceeded,
                       "the query took longer than " +
                           base::number_text(static_cast<double>(limits_.time.count()) / 1000) +
                           " seconds");
    } else if (sqlite3_memory_used() - memory_at_start_ > limits_.memory_bytes) {
      stopped_.emplace(ErrorCode::resource_exhausted,
                       "the query needs more than " + std::to_string(limits_.memory_bytes >> 20U) +
                           " MiB of memory");
    } else if (*is_over_ && (*is_over_)()) {
      stopped_.emplace(ErrorCode::cancelled, "the query was cancelled");
    }
    return stopped_.has_value();
  }

  [[nodiscard]] Statement prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int prepared =
        sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw, &rest);
    Statement statement(raw);
    if (prepared != SQLITE_OK) fail(prepared);
    const std::string_view tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
    if (!statement) throw Error(ErrorCode::invalid_argument, "the statement is empty");
    const auto more = sql_tokens(tail);
    if (std::ranges::any_of(more, [](const SqlToken& token) { return !token.is_sign(';'); })) {
      throw Error(ErrorCode::unsupported, "only one statement is allowed");
    }
    if (sqlite3_stmt_readonly(raw) == 0 || sqlite3_stmt_isexplain(raw) != 0 ||
        sqlite3_column_count(raw) == 0) {
      throw Error(ErrorCode::unsupported, "only queries (SELECT, WITH) are allowed");
    }
    return statement;
  }

  static std::vector<QueryColumn> columns_of(sqlite3_stmt* statement) {
    std::vector<QueryColumn> columns;
    const int count = sqlite3_column_count(statement);
    for (int i = 0; i < count; ++i) {
      columns.push_back({std::string(text_or_empty(sqlite3_column_name(statement, i))),
                         std::string(text_or_empty(sqlite3_column_decltype(statement, i)))});
    }
    return columns;
  }

  void step_through(sqlite3_stmt* statement, const QuerySink& sink) {
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    std::vector<SqlValue> values;
    const int columns = sqlite3_column_count(statement);
    while (true) {
      const int result = sqlite3_step(statement);
      if (result == SQLITE_DONE) return;
      if (result != SQLITE_ROW) fail(result);
      if (++rows > limits_.rows) {
        throw Error(ErrorCode::resource_exhausted,
                    "the result has more than " + std::to_string(limits_.rows) + " rows");
      }
      values.clear();
      for (int i = 0; i < columns; ++i) {
        constexpr int kOther = 8;
        const int type = sqlite3_column_type(statement, i);
        bytes += type == SQLITE_TEXT || type == SQLITE_BLOB ? sqlite3_column_bytes(statement, i)
                                                            : kOther;
        if (bytes > limits_.result_bytes) {
          throw Error(
              ErrorCode::resource_exhausted,
              "the result has more than " + std::to_string(limits_.result_bytes >> 20U) + " MiB");
        }
        values.push_back(column_value(statement, i));
      }
      sink.row(values);
    }
  }

  [[noreturn]] void fail_setup() const {
    const int code = handle_ ? sqlite3_extended_errcode(handle_.get()) : SQLITE_NOMEM;
    throw Error(code == SQLITE_BUSY ? ErrorCode::unavailable : ErrorCode::internal,
                "a query cannot open the database: " + std::string(sqlite3_errstr(code)));
  }

  [[noreturn]] void fail(int result) {
    if (stopped_) throw Error(*stopped_);
    if (!refused_.empty()) throw Error(refused_code_, refused_);
    const std::string message = std::string(sqlite3_errmsg(handle_.get())).substr(0, kMostMessage);
    switch (result & 0xff) {
      case SQLITE_ERROR:
        throw Error(
            message.starts_with("no such") ? ErrorCode::not_found : ErrorCode::invalid_argument,
            message);
      case SQLITE_TOOBIG:
        throw Error(ErrorCode::resource_exhausted,
                    "a value has more than " + std::to_string(kMostValueBytes) + " bytes");
      case SQLITE_FULL:
        if (quota_ != nullptr && quota_->is_exceeded()) {
          throw Error(ErrorCode::resource_exhausted, "the query needs more than " +
                                                         std::to_string(quota_limit_ >> 20U) +
                                                         " MiB of temporary files");
        }
        throw Error(ErrorCode::resource_exhausted, "the disk is full");
      case SQLITE_NOMEM:
        throw Error(ErrorCode::resource_exhausted, "the query needs too much memory");
      case SQLITE_BUSY:
        throw Error(ErrorCode::unavailable, "the database is busy; try again");
      case SQLITE_AUTH:
        throw Error(ErrorCode::permission_denied, message);
      default:
        throw Error(ErrorCode::internal, message);
    }
  }

  const QueryLimits limits_;
  const std::int64_t quota_limit_;
  std::unique_ptr<sqlite3, CloseConnection> handle_;
  std::map<std::string, std::string, std::less<>> tables_;  // by the view, in lower case
  std::set<std::string, std::less<>> reserved_;
  std::set<std::string, std::less<>> with_names_;
  const std::function<bool()>* is_over_ = nullptr;
  std::chrono::steady_clock::time_point deadline_;
  std::int64_t memory_at_start_ = 0;
  TemporaryQuota* quota_ = nullptr;  // null before the query
  std::optional<Error> stopped_;
  std::string refused_;
  ErrorCode refused_code_ = ErrorCode::permission_denied;
};

GuardedQuery::GuardedQuery(const base::fs::path& path, const std::vector<QueryView>& views,
                           const QueryLimits& limits)
    : implementation_(std::make_unique<Implementation>(path, views, limits)) {}

GuardedQuery::~GuardedQuery() = default;

void GuardedQuery::run(std::string_view sql, const QuerySink& sink,
                       const std::function<bool()>& is_over) {
  implementation_->run(sql, sink, is_over);
}

std::int64_t GuardedQuery::bytes_read() const {
  return implementation_->bytes_read();
}

}  // namespace andon::store
