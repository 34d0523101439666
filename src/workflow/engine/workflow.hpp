// SPDX-License-Identifier: Apache-2.0
// The workflow engine as its users see it: machines, executions, tasks, activities, in the terms of
// AWS Step Functions and with its refusals; it knows no HTTP. Made once, run() when all that tasks
// call is there. Any thread. What is answered has been committed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "store/sql/group_commit.hpp"
#include "workflow/drive/driver.hpp"
#include "workflow/engine/activities.hpp"
#include "workflow/engine/state_trials.hpp"
#include "workflow/executions/executions.hpp"
#include "workflow/machines/machines.hpp"
#include "workflow/observe/execution_log.hpp"
#include "workflow/observe/figures.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::workflow {

using Tags = std::map<std::string, std::string>;

struct WorkflowOptions {
  Arns arns;
  std::chrono::hours retention{90 * 24};  // of executions that have ended
  std::size_t threads = 2;
  // Takes the lines of machines with a loggingConfiguration; null: they are not written.
  ExecutionLog::Write write_log = nullptr;
};

struct StartExecution {
  std::string machine_arn;
  std::string name;  // empty: a UUID
  std::optional<std::string> input;
  std::string trace_header;
};

class Workflow {
 public:
  // Told once, on a thread of the engine: a result, or why there is none.
  template <typename Result>
  using Told = std::function<void(const Result&, std::exception_ptr)>;

  // `database`'s schema is brought up to date. `integrations` and `map_store` outlive it.
  Workflow(store::Database& database, const Integrations& integrations, MapStore* map_store,
           const base::Clock& clock, WorkflowOptions options);
  Workflow(const Workflow&) = delete;
  Workflow& operator=(const Workflow&) = delete;
  ~Workflow();

  void run();
  // Before what tasks call goes: who waits for something that may take long is answered now, and
  // nothing is begun any more.
  void stop();
  // Forgets what is older than the retention. Now and then.
  void sweep();

  [[nodiscard]] Machines& machines() { return machines_; }
  [[nodiscard]] Executions& executions() { return executions_; }
  [[nodiscard]] Activities& activities() { return activities_; }
  [[nodiscard]] StateTrials& trials() { return trials_; }
  [[nodiscard]] Driver& driver() { return driver_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const Arns& arns() const { return options_.arns; }
  [[nodiscard]] store::GroupCommit& commits() { return *commits_; }

  // Standard and asynchronous Express executions.
  void start(const StartExecution& request, const Told<Started>& told);
  // An Express execution, told when it has ended.
  void start_sync(const StartExecution& request, const Told<Execution>& told);
  // An execution that a task of another one starts; it knows itself again when that task repeats.
  void start_nested(const StartExecution& request, const Parent& parent, const Told<Started>& told);
  void stop(const std::string& arn, const std::optional<std::string>& error,
            const std::optional<std::string>& cause, const Told<base::Timestamp>& told);
  // Runs the state of the main flow anew that it ended in. `token` as in AWS's request.
  void redrive(const std::string& arn, const std::string& token, const Told<base::Timestamp>& told);
  // Why it cannot be redriven; empty: it can.
  [[nodiscard]] std::string not_redrivable_because(const Execution& execution) const;
  struct MapRunUpdate {
    std::optional<std::int64_t> max_concurrency;
    std::optional<std::int64_t> tolerated_count;
    std::optional<double> tolerated_percentage;
  };
  void update_map_run(const std::string& arn, const MapRunUpdate& update, Driver::Done done);
  void delete_machine(const std::string& arn);

  using Done = Driver::Done;
  void send_task_success(const std::string& token, const std::string& output, Done done);
  void send_task_failure(const std::string& token, const std::optional<std::string>& error,
                         const std::optional<std::string>& cause, Done done);
  void send_task_heartbeat(const std::string& token, Done done);

  // Of machines and activities. ResourceNotFound; TooManyTags.
  [[nodiscard]] Tags tags(const std::string& arn) const;
  void tag(const std::string& arn, const Tags& tags);
  void untag(const std::string& arn, const std::vector<std::string>& keys);

 private:
  [[nodiscard]] NewExecution prepare(const StartExecution& request) const;
  [[nodiscard]] StoredTask task_of(const std::string& token) const;
  void require_resource(store::Transaction& tx, const std::string& arn) const;

  store::Database& database_;
  const base::Clock& clock_;
  const WorkflowOptions options_;
  std::unique_ptr<store::GroupCommit> commits_;
  Machines machines_;
  Executions executions_;
  ExecutionLog log_;
  Figures figures_;
  Driver driver_;
  Activities activities_;
  StateTrials trials_;
};

}  // namespace andon::workflow
