// SPDX-License-Identifier: Apache-2.0
// State machines: create, update, describe, list, delete; their versions and aliases
// (versions.cpp, aliases.cpp); the compiled form of each revision. Any thread; each call is one
// transaction. Refusals are in AWS's words.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "asl/definition/machine.hpp"
#include "store/sql/database.hpp"
#include "workflow/machines/types.hpp"
#include "workflow/shared/arns.hpp"

namespace andon::workflow {

using Compiled = std::shared_ptr<const asl::StateMachine>;

// What an execution is started with.
struct StartTarget {
  Machine machine;
  Compiled compiled;
  std::string version_arn;
  std::string alias_arn;
};

class Machines {
 public:
  // `check_resources` throws Refusal(InvalidDefinition) for a task whose resource nobody has.
  using CheckResources = std::function<void(const asl::StateMachine&)>;
  Machines(store::Database& database, const base::Clock& clock, const Arns& arns,
           CheckResources check_resources);

  struct Created {
    std::string arn;
    base::Timestamp created;
    std::string version_arn;  // with publish
  };
  Created create(const NewMachine& machine);
  struct Updated {
    base::Timestamp updated;
    std::string revision_id;
    std::string version_arn;
  };
  Updated update(const std::string& arn, const MachineUpdate& update);
  // An ARN with version or alias is that version's machine.
  [[nodiscard]] Machine describe(const std::string& arn) const;
  [[nodiscard]] std::optional<Machine> find_revision(const std::string& revision) const;
  // Each role that a revision names, once.
  [[nodiscard]] std::vector<std::string> roles() const;
  // By name.
  [[nodiscard]] Listed<Machine> list(const PageOf& page) const;
  // Marks it, and forgets versions and aliases. False where there is no such machine.
  bool begin_deletion(const std::string& arn);
  // Forgets a marked machine that nothing runs of.
  void end_deletion(const std::string& arn);

  struct Published {
    std::string arn;
    base::Timestamp created;
  };
  Published publish(const std::string& arn, const std::optional<std::string>& revision_id,
                    const std::string& description);
  void delete_version(const std::string& arn);
  [[nodiscard]] Listed<MachineVersion> list_versions(const std::string& arn,
                                                     const PageOf& page) const;

  MachineAlias create_alias(const std::string& name, const std::string& description,
                            const std::vector<Route>& routes);
  base::Timestamp update_alias(const std::string& arn,
                               const std::optional<std::string>& description,
                               const std::optional<std::vector<Route>>& routes);
  void delete_alias(const std::string& arn);
  [[nodiscard]] MachineAlias describe_alias(const std::string& arn) const;
  // `arn` may name a version: only aliases that route to it.
  [[nodiscard]] Listed<MachineAlias> list_aliases(const std::string& arn, const PageOf& page) const;

  // What StartExecution of `arn` runs now; an alias draws one of its versions.
  [[nodiscard]] StartTarget target(const std::string& arn) const;
  // Is `target`'s machine still there, with that revision? Within the caller's transaction. Throws
  // the refusal of a machine that is gone or being deleted; false: it has moved on, ask again.
  bool is_current(store::Transaction& tx, const StartTarget& target) const;
  [[nodiscard]] Compiled compiled(const std::string& revision) const;

 private:
  struct RevisionChange {
    std::string definition;
    MachineSettings settings;
  };
  std::string publish_in(store::Transaction& tx, const std::string& machine,
                         const std::string& revision, const std::string& description,
                         base::Timestamp* created) const;
  std::string insert_revision(store::Transaction& tx, const std::string& machine,
                              const RevisionChange& change, const std::string& revision_id,
                              base::Timestamp now) const;
  void check(const std::string& definition, MachineType type) const;
  void keep(const std::string& revision, const Compiled& compiled) const;
  [[nodiscard]] Machine current(store::Transaction& tx, const std::string& arn) const;
  void check_routes(store::Transaction& tx, const std::vector<Route>& routes) const;

  store::Database& database_;
  const base::Clock& clock_;
  const Arns& arns_;
  CheckResources check_resources_;

  // The machines that were started last, and the revisions compiled last.
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, StartTarget> targets_;
  mutable std::list<std::pair<std::string, Compiled>> compiled_;
};

[[nodiscard]] std::string version_arn(const std::string& machine, std::int64_t version);

}  // namespace andon::workflow
