// SPDX-License-Identifier: Apache-2.0
// Room: stacks. Stacks as they are recorded: what was asked for, each resource with what it is
// called and has, what happened, what is exported. A row is written before its resource is made and
// after, so that whoever goes on after a crash knows what may be there. Knows no template and makes
// no resource (api/stacks). Any thread; each call is one transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/page.hpp"
#include "control/stacks/types.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class Stacks {
 public:
  static constexpr std::int64_t kMost = 2000;           // that are not deleted
  static constexpr std::int64_t kMostEvents = 2000;     // kept of a stack
  static constexpr std::int64_t kMostChangeSets = 100;  // of a stack
  static constexpr std::chrono::days kKeepDeleted{90};

  // Brings the schema up to date.
  Stacks(store::Database& database, const base::Clock& clock);

  // By name or ARN; one that is deleted only by its ARN.
  [[nodiscard]] std::optional<Stack> find(const std::string& name_or_id) const;
  [[nodiscard]] Page<Stack> list(const PageRequest& page, bool with_deleted) const;
  // That somebody has to go on with; the one that was begun first.
  [[nodiscard]] std::optional<Stack> next_in_progress() const;

  // already_exists for a name that is taken, resource_exhausted beyond kMost.
  void add(const Stack& stack);
  // All of it but id and name, with an event for the stack where its status changes. Only where its
  // status is still `expected`: conflict else.
  void update(const Stack& stack, const std::string& expected, const std::string& token = {});
  void protect(const std::string& id, bool is_protected);
  // As deleted, and forgets deleted ones that are old.
  void set_deleted(const Stack& stack, const std::string& token);
  // Forgets it wholly.
  void forget(const std::string& id);

  [[nodiscard]] std::vector<StackResource> resources(const std::string& stack_id) const;
  // Writes the row, with an event.
  void put_resource(const std::string& stack_id, StackResource resource, const std::string& token);
  // The one that was in its place stays, to be removed: as the next ordinal.
  void replace_resource(const std::string& stack_id, StackResource resource,
                        const std::string& token);
  // Forgets the row, with an event of `status`.
  void remove_resource(const std::string& stack_id, const StackResource& resource,
                       const std::string& status, const std::string& token);
  // The one of this type and physical id that stands, whatever stack has it.
  [[nodiscard]] std::optional<StackResource> find_resource(const std::string& type,
                                                           const std::string& physical_id) const;
  // Which stacks have a resource of this physical id.
  [[nodiscard]] std::optional<std::string> stack_of(const std::string& physical_id) const;

  [[nodiscard]] Page<StackEvent> events(const std::string& stack_id, const PageRequest& page) const;

  [[nodiscard]] std::optional<std::string> exported(const std::string& name) const;
  [[nodiscard]] Page<StackExport> exports(const PageRequest& page) const;
  [[nodiscard]] std::vector<std::string> importers(const std::string& name) const;
  // Those of the stack. failed_precondition where another stack has one of the names, or still
  // imports one that is not among them.
  void set_exports(const std::string& stack_id, const std::vector<StackExport>& exports,
                   const std::vector<std::string>& imports);

  [[nodiscard]] std::optional<ChangeSet> find_change_set(const std::string& stack_id,
                                                         const std::string& name_or_id) const;
  [[nodiscard]] std::vector<ChangeSet> change_sets(const std::string& stack_id) const;
  void put_change_set(const ChangeSet& change_set);
  void remove_change_set(const std::string& id);

 private:
  void add_event(store::Transaction& tx, const std::string& stack_id, const StackResource& resource,
                 const std::string& token) const;
  void write_resource(store::Transaction& tx, const std::string& stack_id,
                      const StackResource& resource) const;

  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
