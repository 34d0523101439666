// SPDX-License-Identifier: Apache-2.0
// Processing and training jobs as they stand in the database. Any thread; each call is one
// transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/sql/database.hpp"
#include "store/sql/paged_query.hpp"
#include "workflow/machines/types.hpp"
#include "workflow/modeljobs/types.hpp"

namespace andon::workflow {

struct ModelJobFilter {
  ModelJobKind kind = ModelJobKind::processing;
  std::optional<base::Timestamp> created_after;
  std::optional<base::Timestamp> created_before;
  std::optional<base::Timestamp> modified_after;
  std::optional<base::Timestamp> modified_before;
  std::string name_contains;
  std::optional<ModelJobStatus> status;
  enum class Sort { by_name, by_creation_time, by_status };
  Sort sort = Sort::by_creation_time;
  store::SortOrder order = store::SortOrder::ascending;
};

class ModelJobTable {
 public:
  explicit ModelJobTable(store::Database& database) : database_(database) {}

  // False where there is one of that kind and name; resource_exhausted where there are too many.
  bool insert(const ModelJob& job);
  [[nodiscard]] std::optional<ModelJob> find(ModelJobKind kind, const std::string& name) const;
  [[nodiscard]] std::optional<ModelJob> find_id(const std::string& id) const;
  [[nodiscard]] std::vector<ModelJob> open_jobs() const;
  [[nodiscard]] Listed<ModelJob> list(const ModelJobFilter& filter, const PageOf& page) const;
  // Changes a job that is not over, in one transaction; what it has become, or nothing.
  std::optional<ModelJob> change(const std::string& id,
                                 const std::function<void(ModelJob&)>& change);
  // Forgets jobs that ended before `before`, at most `most`; how many those were.
  std::size_t forget(base::Timestamp before, std::size_t most);

 private:
  store::Database& database_;
};

}  // namespace andon::workflow
