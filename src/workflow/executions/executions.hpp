// SPDX-License-Identifier: Apache-2.0
// Executions as they stand in the database: described, listed, their history in pages, and read to
// be gone on with. Any thread. Nothing here changes them (drive/ does), but for what is forgotten
// when its time is over.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/sql/database.hpp"
#include "workflow/executions/types.hpp"
#include "workflow/machines/types.hpp"

namespace andon::workflow {

struct ExecutionFilter {
  std::string machine;  // unqualified ARN; or map_run
  std::string version_arn;
  std::string alias_arn;
  std::string map_run;
  std::string status;               // empty: any
  std::optional<bool> is_redriven;  // nothing: either
};

struct HistoryRequest {
  std::size_t limit = 100;
  bool reverse = false;
  bool with_data = true;
  std::int64_t after = 0;  // the last event of the page before; 0: the first page
};
struct HistoryPage {
  json::array events;
  std::optional<std::int64_t> next;  // the last event here, where there are more
};

// Takes data and where it was out of an event, for includeExecutionData = false.
void drop_data(json::object& event);

struct StoredTask {
  std::int64_t execution = 0;
  TaskRow row;
};

class Executions {
 public:
  explicit Executions(store::Database& database) : database_(database) {}

  [[nodiscard]] std::optional<Execution> find(const std::string& arn) const;
  [[nodiscard]] std::optional<Execution> find(std::int64_t id) const;
  static std::optional<Execution> find(store::Transaction& tx, const std::string& arn);
  static std::optional<Execution> find(store::Transaction& tx, std::int64_t id);
  // Throws Refusal(ExecutionDoesNotExist).
  [[nodiscard]] Execution require(const std::string& arn) const;

  // Newest first: the running by their start or redrive, the others by their end.
  [[nodiscard]] Listed<Execution> list(const ExecutionFilter& filter, const PageOf& page) const;
  [[nodiscard]] HistoryPage history(std::int64_t execution, const HistoryRequest& request) const;

  [[nodiscard]] std::vector<TaskRow> tasks(std::int64_t execution) const;
  [[nodiscard]] std::optional<StoredTask> task_of_token(const std::string& token) const;
  // A token that was good once.
  [[nodiscard]] bool token_has_ended(const std::string& token) const;

  // When the request with this token redrove it, if it did so lately.
  [[nodiscard]] std::optional<base::Timestamp> redrive_of(std::int64_t execution,
                                                          const std::string& token) const;
  [[nodiscard]] std::optional<MapRunRow> find_map_run(const std::string& arn) const;
  [[nodiscard]] Listed<MapRunRow> list_map_runs(std::int64_t execution, const PageOf& page) const;
  // Of a map run's child executions, by status.
  [[nodiscard]] std::map<std::string, std::int64_t> count_children(
      const std::string& map_run) const;

  struct Waiting {
    std::int64_t running = 0;
    std::int64_t timers = 0;
  };
  [[nodiscard]] Waiting waiting() const;

  // Forgets executions that ended before `before`, at most `most`; how many those were.
  std::size_t forget(base::Timestamp before, std::size_t most);

 private:
  store::Database& database_;
};

}  // namespace andon::workflow
