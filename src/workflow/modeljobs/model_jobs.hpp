// SPDX-License-Identifier: Apache-2.0
// Processing and training jobs: made, driven through JobRunner to their end, stopped, found again
// after a crash. A job is in its table before it is ordered; what it does is done once more by who
// finds it unfinished, with the same outcome. Made once; any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/objects/object_store.hpp"
#include "workflow/jobs/job_place.hpp"
#include "workflow/jobs/job_runner.hpp"
#include "workflow/modeljobs/job_files.hpp"
#include "workflow/modeljobs/job_table.hpp"
#include "workflow/shared/arns.hpp"

namespace andon::workflow {

class ModelJobs {
 public:
  struct Parts {
    store::Database& database;
    JobRunner& runner;
    store::ObjectStore& objects;
    const base::Clock& clock;
    Arns arns;
    JobPolicy policy;
    job::fs::path images;  // image -> command; empty: there is none
    // Throws base::Error(permission_denied) where a job's role may not.
    std::function<void(const ModelJob&, std::string_view action, const std::string& bucket,
                       const std::string& key)>
        require;
  };
  // Brings the schema up to date. What is referred to outlives this.
  explicit ModelJobs(Parts parts);

  // Goes on with what an earlier program has left unfinished. Once, when JobRunner runs.
  void run();

  // Throws base::Error: invalid_argument naming what is wrong (the image that has no command, too),
  // already_exists. `request` is as CreateTrainingJob or CreateProcessingJob has it.
  ModelJob create(ModelJobKind kind, const std::string& name, json::object request);
  [[nodiscard]] std::optional<ModelJob> find(ModelJobKind kind, const std::string& name) const {
    return table_.find(kind, name);
  }
  [[nodiscard]] Listed<ModelJob> list(const ModelJobFilter& filter, const PageOf& page) const {
    return table_.list(filter, page);
  }
  // False where it is over; nothing where there is none.
  std::optional<bool> stop(ModelJobKind kind, const std::string& name);
  // Told once, at once where it is over; not after a crash.
  void when_ended(ModelJobKind kind, const std::string& name,
                  std::function<void(const ModelJob&)> told);

  // For JobRunner: whether what it has in hand is wanted still.
  [[nodiscard]] JobRunner::Standing standing(const job::JobOrder& order) const;
  // Of all that ended before.
  void forget(base::Timestamp before);

  [[nodiscard]] std::string arn(ModelJobKind kind, const std::string& name) const;

 private:
  struct Outcome;
  [[nodiscard]] JobContract contract(const ModelJob& job) const;
  [[nodiscard]] JobObjects objects(const ModelJob& job) const;
  void order(const ModelJob& job);
  void prepare(const ModelJob& job, const job::JobDirectory& directory);
  void take(const std::string& id, const job::JobDirectory& directory,
            const std::optional<job::JobResult>& result);
  [[nodiscard]] Outcome outcome_of(const ModelJob& job, const job::JobDirectory& directory,
                                   const std::optional<job::JobResult>& result) const;
  void step(const std::string& id, const std::string& secondary, const std::string& message);
  void finish(const std::string& id, const Outcome& outcome);
  void fail(const std::string& id, const std::exception_ptr& failure);

  const Parts parts_;
  ModelJobTable table_;
  std::mutex mutex_;                                                          // guards what follows
  std::multimap<std::string, std::function<void(const ModelJob&)>> waiting_;  // by ARN
};

}  // namespace andon::workflow
