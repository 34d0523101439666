// SPDX-License-Identifier: Apache-2.0
// Builds as jobs of this machine: the source is put into the job's directory, the phases of the
// buildspec are its command, artifacts are stored as objects when it has succeeded. How a build
// stands is in its row, which is written before its job is ordered: after a crash it is ordered
// again and found running, over or lost. Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/git/git_places.hpp"
#include "api/table/internal_call.hpp"
#include "api/tasks/job_task.hpp"
#include "builds/registry/builds.hpp"
#include "builds/spec/buildspec.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/jobs/job_runner.hpp"

namespace andon::api {

class BuildRunner {
 public:
  struct Parts {
    builds::Builds& builds;
    workflow::JobRunner& jobs;
    store::ObjectStore& objects;
    const InternalCalls& calls;
    fleet::Arns arns;
    const base::Clock& clock;
    workflow::JobPolicy policy;
    GitPlaces git;
    wire::GitOptions git_options;
    base::fs::path jobs_directory;
    // Variables that AWS SDKs find this server by, with keys of a role; null: none.
    std::function<std::map<std::string, std::string>(const control::RoleUse& use,
                                                     std::chrono::seconds lifetime)>
        sdk_variables;
  };
  explicit BuildRunner(Parts parts) : parts_(std::move(parts)) {}

  // Takes up what an earlier program has left. After the table of operations is there.
  void resume();
  // Runs it; its row is there.
  void order(const builds::Build& build);
  // The build as it is then; nothing where there is none.
  std::optional<builds::Build> stop(const std::string& id);
  // Once, on any thread, perhaps before this returns: when it is over, or gone.
  void when_over(const std::string& id, std::function<void(std::optional<builds::Build>)> told);

  // How far a build is, while it runs.
  [[nodiscard]] base::json::object describe(const builds::Build& build) const;
  // Of an order that is a build's; nothing for others.
  [[nodiscard]] std::optional<workflow::JobRunner::Standing> standing(
      const job::JobOrder& order) const;
  [[nodiscard]] const GitPlaces& git() const { return parts_.git; }

 private:
  [[nodiscard]] Caller caller_of(const builds::Build& build) const;
  [[nodiscard]] control::RoleUse role_of(const builds::Build& build) const;
  [[nodiscard]] job::JobOrder order_of(const builds::Build& build) const;
  void prepare(const std::string& id, const job::JobDirectory& directory);
  void take_source(const builds::Build& build, const Caller& caller, const base::fs::path& place,
                   std::string& resolved);
  [[nodiscard]] builds::BuildSpec spec_of(const builds::Build& build,
                                          const job::JobDirectory& directory) const;
  [[nodiscard]] std::map<std::string, std::string> variables_of(const builds::Build& build,
                                                                const builds::BuildSpec& spec,
                                                                const Caller& caller) const;
  [[nodiscard]] std::string parameter(const Caller& caller, const std::string& name) const;
  [[nodiscard]] std::string secret(const Caller& caller, const std::string& reference) const;
  void store_artifacts(builds::Build& build, const job::JobDirectory& directory);
  void end(const std::string& id, const job::JobDirectory& directory,
           const std::optional<job::JobResult>& result);
  void fail(const std::string& id, const std::exception_ptr& failure);
  void tell(const std::string& id, const std::optional<builds::Build>& build);

  const Parts parts_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, std::vector<std::function<void(std::optional<builds::Build>)>>> waiting_;
};

// Of its log, in the group of its record.
[[nodiscard]] std::string stream_of(const builds::Build& build);
// A member of a build's record that is a text; empty where there is none.
[[nodiscard]] std::string record_text(const base::json::object& record, std::string_view member,
                                      std::string_view inner = {});

}  // namespace andon::api
