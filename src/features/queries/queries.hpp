// SPDX-License-Identifier: Apache-2.0
// Room: queries. SQL over the offline stores as Athena has it: executions that are queued, run and
// over, and their results as CSV in the object store.
//
// A query sees the tables that were found for it when it was started, and nothing else of the
// database (store/sql/guarded_query.hpp). What a killed server left queued or running is run again;
// its result is the same object. Any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/os/file.hpp"
#include "features/groups/groups.hpp"
#include "features/queries/executions.hpp"
#include "features/queries/result_csv.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/guarded_query.hpp"

namespace andon::features {

struct QueryOptions {
  store::QueryLimits limits;
  std::size_t at_once = 2;
  base::fs::path directory;  // for results that are being written
};

// Why who asks may not read a table; nothing where it may.
using TableRefusal = std::function<std::optional<std::string>(const OfflineTable&)>;

struct ResultPage {
  std::vector<ResultColumn> columns;
  std::vector<CsvRow> rows;
  std::optional<std::uint64_t> next;  // where the next page begins in the result
};

class Queries {
 public:
  // `path`: the file of `database`. All outlive this.
  Queries(store::Database& database, base::fs::path path, store::ObjectStore& objects,
          Groups& groups, const base::Clock& clock, QueryOptions options);
  Queries(const Queries&) = delete;
  Queries& operator=(const Queries&) = delete;
  ~Queries();

  // From here on queries are run.
  void run();
  void stop();

  // `check_output` is given the bucket and the key of the result, and throws where the caller may
  // not write it.
  QueryExecution start(
      QueryRequest request, const std::optional<std::string>& token, const TableRefusal& refusal,
      const std::function<void(const std::string& bucket, const std::string& key)>& check_output);
  // Nothing where it is over. not_found.
  void cancel(const std::string& id);
  // The first row is the header. failed_precondition unless it has succeeded, data_corrupted where
  // the object has been changed since.
  [[nodiscard]] ResultPage results(const QueryExecution& execution, std::uint64_t from,
                                   std::size_t limit) const;

  Executions executions;

 private:
  void work();
  void run_one(QueryExecution execution);
  void fill(QueryExecution& execution);
  [[nodiscard]] std::vector<OfflineTable> tables_of(const QueryExecution& execution) const;
  [[nodiscard]] bool is_wanted(const std::string& id) const;

  const base::fs::path path_;
  store::ObjectStore& objects_;
  Groups& groups_;
  const QueryOptions options_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool is_woken_ = true;
  std::map<std::string, bool> running_;  // by id: whether it is to end
  std::vector<std::thread> threads_;
};

}  // namespace andon::features
