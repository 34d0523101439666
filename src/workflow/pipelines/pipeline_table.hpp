// SPDX-License-Identifier: Apache-2.0
// Rows of pipelines, their executions and steps. Any thread; each call is one transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/sql/database.hpp"
#include "store/sql/paged_query.hpp"
#include "workflow/machines/types.hpp"
#include "workflow/pipelines/types.hpp"

namespace andon::workflow {

struct PipelineFilter {
  std::string prefix;
  std::optional<base::Timestamp> created_after;
  std::optional<base::Timestamp> created_before;
  bool by_name = false;
  store::SortOrder order = store::SortOrder::descending;
};

class PipelineTable {
 public:
  explicit PipelineTable(store::Database& database) : database_(database) {}

  // False where there is one of that name; resource_exhausted where there are too many.
  bool insert(const Pipeline& pipeline);
  [[nodiscard]] std::optional<Pipeline> find(const std::string& name) const;
  void update(const Pipeline& pipeline);
  // With its executions; false where one of them runs.
  bool remove(const std::string& name);
  [[nodiscard]] Listed<Pipeline> list(const PipelineFilter& filter, const PageOf& page) const;

  // The one that was started with the same token before, or nothing where this one is new.
  std::optional<PipelineExecution> insert(const PipelineExecution& execution);
  void remove_execution(const std::string& id);
  [[nodiscard]] std::optional<PipelineExecution> find_execution(const std::string& id) const;
  [[nodiscard]] std::vector<PipelineExecution> open_executions() const;
  [[nodiscard]] Listed<PipelineExecution> list_executions(const std::string& pipeline,
                                                          const PipelineFilter& filter,
                                                          const PageOf& page) const;
  void set_status(const std::string& id, const std::string& status, const std::string& reason,
                  base::Timestamp now);

  [[nodiscard]] std::optional<StepRecord> find_step(const std::string& execution,
                                                    const std::string& name) const;
  // In the order in which they began.
  [[nodiscard]] std::vector<StepRecord> steps(const std::string& execution) const;
  // Makes or changes it in one transaction: `change` sees what is there.
  StepRecord change_step(const std::string& execution, const std::string& name,
                         const std::function<void(std::optional<StepRecord>&)>& change);

  // Forgets executions that ended before, at most `most`; how many those were.
  std::size_t forget(base::Timestamp before, std::size_t most);

 private:
  store::Database& database_;
};

}  // namespace andon::workflow
