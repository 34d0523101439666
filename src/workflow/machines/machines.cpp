// SPDX-License-Identifier: Apache-2.0
#include "workflow/machines/machines.hpp"

#include <random>

#include "asl/definition/validator.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "workflow/machines/rows.hpp"

namespace andon::workflow {
namespace {

constexpr std::size_t kCompiled = 64;
constexpr std::size_t kTargets = 256;
constexpr std::int64_t kMostMachines = 10'000;

json::object object_of(const std::string& text) {
  json::value parsed = base::parse_json(text, "a stored machine's settings");
  return std::move(parsed.as_object());
}

}  // namespace

std::string version_arn(const std::string& machine, std::int64_t version) {
  return machine + ":" + std::to_string(version);
}

Machine machine_row(const store::Row& row) {
  Machine machine;
  machine.arn = row.text(0);
  machine.name = row.text(1);
  machine.type = row.text(2) == "EXPRESS" ? MachineType::express : MachineType::standard;
  machine.is_deleting = row.text(3) == "DELETING";
  machine.created = base::from_epoch_millis(row.integer(4));
  machine.revision = row.text(5);
  machine.revision_id = row.text(6);
  machine.definition = row.text(7);
  machine.settings = {row.text(8), object_of(row.text(9)), object_of(row.text(10)),
                      object_of(row.text(11))};
  machine.updated = base::from_epoch_millis(row.integer(12));
  return machine;
}

Refusal no_such_machine(const std::string& arn) {
  return {"StateMachineDoesNotExist", "State Machine Does Not Exist: '" + arn + "'"};
}

Refusal machine_is_deleting(const std::string& arn) {
  return {"StateMachineDeleting", "State Machine is being deleted: '" + arn + "'"};
}

Machines::Machines(store::Database& database, const base::Clock& clock, const Arns& arns,
                   CheckResources check_resources)
    : database_(database),
      clock_(clock),
      arns_(arns),
      check_resources_(std::move(check_resources)) {}

void Machines::check(const std::string& definition, MachineType type) const {
  const auto read = asl::read_definition(
      definition, {.express = type == MachineType::express, .max_results = 10});
  if (!read.machine) {
    throw Refusal("InvalidDefinition",
                  "Invalid State Machine Definition: '" + asl::errors_text(read.validation) + "'");
  }
  check_resources_(*read.machine);
}

std::string Machines::insert_revision(store::Transaction& tx, const std::string& machine,
                                      const RevisionChange& change, const std::string& revision_id,
                                      base::Timestamp now) const {
  const std::string id = base::random_uuid();
  tx.execute(
      "INSERT INTO machine_revisions (id, machine, revision_id, definition, role, logging, "
      "tracing, encryption, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {id, machine, revision_id, change.definition, change.settings.role,
       base::to_text(change.settings.logging), base::to_text(change.settings.tracing),
       base::to_text(change.settings.encryption), base::to_epoch_millis(now)});
  return id;
}

Machine Machines::current(store::Transaction& tx, const std::string& arn) const {
  const auto row = tx.query_one("SELECT " + std::string(kMachineColumns) +
                                    " FROM machines m JOIN machine_revisions r ON r.id = "
                                    "m.revision WHERE m.arn = $1",
                                {arn});
  if (!row) throw no_such_machine(arn);
  return machine_row(*row);
}

Machines::Created Machines::create(const NewMachine& machine) {
  check_name(machine.name);
  if (!machine.publish && !machine.version_description.empty()) {
    throw Refusal("ValidationException",
                  "Version description can only be set when publish is true");
  }
  check(machine.definition, machine.type);
  Created created;
  created.arn = arns_.machine(machine.name);
  const base::Timestamp now = clock_.now();
  database_.write([&](store::Transaction& tx) {
    const auto there = tx.query_one("SELECT arn FROM machines WHERE arn = $1", {created.arn});
    if (there) {
      const Machine old = current(tx, created.arn);
      if (old.is_deleting) throw machine_is_deleting(created.arn);
      std::string old_description;
      std::string old_version;
      const auto version = tx.query_one(
          "SELECT version, description FROM machine_versions WHERE machine = $1 AND revision = $2",
          {created.arn, old.revision});
      if (version) {
        old_version = version_arn(created.arn, version->integer(0));
        old_description = version->text(1);
      }
      const bool same = old.definition == machine.definition && old.type == machine.type &&
                        old.settings.logging == machine.settings.logging &&
                        old.settings.tracing == machine.settings.tracing &&
                        old.settings.encryption == machine.settings.encryption &&
                        machine.publish == version.has_value() &&
                        old_description == machine.version_description;
      if (!same) {
        throw Refusal("StateMachineAlreadyExists",
                      "State Machine Already Exists: '" + created.arn + "'");
      }
      created.created = old.created;
      created.version_arn = old_version;
      return;
    }
    const auto count = tx.query_one("SELECT count(*) FROM machines");
    if (count->integer(0) >= kMostMachines) {
      throw Refusal("StateMachineLimitExceeded",
                    "State machine limit exceeded: " + std::to_string(kMostMachines));
    }
    created.created = now;
    const std::string revision =
        insert_revision(tx, created.arn, {machine.definition, machine.settings}, "", now);
    tx.execute(
        "INSERT INTO machines (arn, name, type, status, revision, next_version, created_ms) "
        "VALUES ($1, $2, $3, 'ACTIVE', $4, 1, $5)",
        {created.arn, machine.name, std::string(to_string(machine.type)), revision,
         base::to_epoch_millis(now)});
    for (const auto& [key, value] : machine.tags) {
      tx.execute("INSERT INTO workflow_tags (arn, tag_key, tag_value) VALUES ($1, $2, $3)",
                 {created.arn, key, value});
    }
    if (machine.publish) {
      created.version_arn =
          publish_in(tx, created.arn, revision, machine.version_description, nullptr);
    }
  });
  return created;
}

Machines::Updated Machines::update(const std::string& arn, const MachineUpdate& update) {
  const MachineArn named = read_machine_arn(arn);
  if (!update.publish && !update.version_description.empty()) {
    throw Refusal("ValidationException",
                  "Version description can only be set when publish is true");
  }
  if (!update.definition && !update.role && !update.logging && !update.tracing &&
      !update.encryption) {
    throw Refusal("MissingRequiredParameter",
                  "Either the definition, the role ARN, the LoggingConfiguration, or the "
                  "TracingConfiguration must be specified");
  }
  if (!named.qualifier.empty()) throw no_such_machine(arn);
  Updated result;
  // The type of a machine never changes, so it may be read before.
  const Machine before = describe(arn);
  if (update.definition) check(*update.definition, before.type);
  database_.write([&](store::Transaction& tx) {
    const Machine old = current(tx, arn);
    if (old.is_deleting) throw machine_is_deleting(arn);
    RevisionChange change{update.definition.value_or(old.definition), old.settings};
    if (update.role) change.settings.role = *update.role;
    if (update.logging) change.settings.logging = *update.logging;
    if (update.tracing) change.settings.tracing = *update.tracing;
    if (update.encryption) change.settings.encryption = *update.encryption;
    const bool is_new =
        change.definition != old.definition || change.settings.role != old.settings.role;
    const bool differs = is_new || change.settings.logging != old.settings.logging ||
                         change.settings.tracing != old.settings.tracing ||
                         change.settings.encryption != old.settings.encryption;
    std::string revision = old.revision;
    result.updated = old.updated;
    result.revision_id = old.revision_id;
    if (differs) {
      // Times of updates grow, so that clients can order them.
      result.updated = std::max(clock_.now(), old.updated + std::chrono::milliseconds(1));
      if (is_new) result.revision_id = base::random_uuid();
      revision = insert_revision(tx, arn, change, result.revision_id, result.updated);
      tx.execute("UPDATE machines SET revision = $1 WHERE arn = $2", {revision, arn});
    }
    if (update.publish) {
      result.version_arn = publish_in(tx, arn, revision, update.version_description, nullptr);
    }
  });
  const std::lock_guard lock(mutex_);
  targets_.erase(arn);
  return result;
}

std::vector<std::string> Machines::roles() const {
  std::vector<std::string> roles;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT DISTINCT role FROM machine_revisions ORDER BY role")) {
      roles.push_back(row.text(0));
    }
  });
  return roles;
}

Machine Machines::describe(const std::string& arn) const {
  const MachineArn named = read_machine_arn(arn);
  Machine machine;
  database_.read([&](store::Transaction& tx) {
    if (named.qualifier.empty()) {
      machine = current(tx, arn);
      return;
    }
    if (named.is_alias()) throw no_such_machine(arn);
    const auto row = tx.query_one(
        "SELECT " + std::string(kMachineColumns) +
            ", v.description, v.created_ms FROM machine_versions v JOIN machines m ON m.arn = "
            "v.machine JOIN machine_revisions r ON r.id = v.revision "
            "WHERE v.machine = $1 AND v.version = $2",
        {named.unqualified, std::int64_t{std::atoll(named.qualifier.c_str())}});
    if (!row) throw no_such_machine(arn);
    machine = machine_row(*row);
    machine.version_arn = arn;
    machine.description = row->text(13);
    machine.created = base::from_epoch_millis(row->integer(14));
  });
  return machine;
}

std::optional<Machine> Machines::find_revision(const std::string& revision) const {
  std::optional<Machine> found;
  database_.read([&](store::Transaction& tx) {
    // The machine itself may be gone.
    const auto row = tx.query_one(
        "SELECT r.machine, coalesce(m.name, ''), coalesce(m.type, 'STANDARD'), "
        "coalesce(m.status, 'DELETING'), coalesce(m.created_ms, r.created_ms), r.id, "
        "r.revision_id, r.definition, r.role, r.logging, r.tracing, r.encryption, r.created_ms "
        "FROM machine_revisions r LEFT JOIN machines m ON m.arn = r.machine WHERE r.id = $1",
        {revision});
    if (row) found = machine_row(*row);
  });
  return found;
}

Listed<Machine> Machines::list(const PageOf& page) const {
  Listed<Machine> listed;
  database_.read([&](store::Transaction& tx) {
    const auto rows = tx.query(
        "SELECT arn, name, type, status, created_ms FROM machines WHERE name > $1 "
        "ORDER BY name LIMIT $2",
        {page.after, static_cast<std::int64_t>(page.limit) + 1});
    for (const auto& row : rows) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().name;
        break;
      }
      Machine machine;
      machine.arn = row.text(0);
      machine.name = row.text(1);
      machine.type = row.text(2) == "EXPRESS" ? MachineType::express : MachineType::standard;
      machine.is_deleting = row.text(3) == "DELETING";
      machine.created = base::from_epoch_millis(row.integer(4));
      listed.items.push_back(std::move(machine));
    }
  });
  return listed;
}

bool Machines::begin_deletion(const std::string& arn) {
  const MachineArn named = read_machine_arn(arn);
  if (!named.qualifier.empty()) {
    throw Refusal("ValidationException",
                  "The state machine ARN must not have a version or an alias here; "
                  "DeleteStateMachineVersion and DeleteStateMachineAlias delete those");
  }
  bool found = false;
  database_.write([&](store::Transaction& tx) {
    found = tx.execute("UPDATE machines SET status = 'DELETING' WHERE arn = $1", {arn}) > 0;
    tx.execute("DELETE FROM machine_versions WHERE machine = $1", {arn});
    tx.execute("DELETE FROM machine_aliases WHERE machine = $1", {arn});
  });
  const std::lock_guard lock(mutex_);
  targets_.erase(arn);
  return found;
}

void Machines::end_deletion(const std::string& arn) {
  database_.write([&](store::Transaction& tx) {
    const auto status = tx.query_one("SELECT status FROM machines WHERE arn = $1", {arn});
    if (!status || status->text(0) != "DELETING") return;
    const auto running = tx.query_one(
        "SELECT id FROM executions WHERE machine = $1 AND status = 'RUNNING' LIMIT 1", {arn});
    if (running) return;
    tx.execute("DELETE FROM machines WHERE arn = $1", {arn});
    tx.execute("DELETE FROM workflow_tags WHERE arn = $1", {arn});
    tx.execute(
        "DELETE FROM machine_revisions WHERE machine = $1 AND NOT EXISTS (SELECT 1 FROM "
        "executions e WHERE e.revision = machine_revisions.id AND e.machine = $1)",
        {arn});
  });
}

StartTarget Machines::target(const std::string& arn) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = targets_.find(arn);
    if (found != targets_.end()) return found->second;
  }
  const MachineArn named = read_machine_arn(arn);
  StartTarget target;
  if (named.is_alias()) {
    MachineAlias alias;
    try {
      alias = describe_alias(arn);
    } catch (const Refusal&) {
      throw no_such_machine(arn);
    }
    target.alias_arn = arn;
    target.version_arn = alias.routes.front().version_arn;
    thread_local std::minstd_rand random{std::random_device{}()};
    auto drawn = static_cast<std::int64_t>(random() % 100);
    for (const Route& route : alias.routes) {
      if (drawn < route.weight) {
        target.version_arn = route.version_arn;
        break;
      }
      drawn -= route.weight;
    }
  } else if (named.is_version()) {
    target.version_arn = arn;
  }
  target.machine = describe(target.version_arn.empty() ? arn : target.version_arn);
  if (target.machine.is_deleting) throw machine_is_deleting(arn);
  target.compiled = compiled(target.machine.revision);
  if (named.qualifier.empty()) {
    const std::lock_guard lock(mutex_);
    if (targets_.size() >= kTargets) targets_.clear();
    targets_[arn] = target;
  }
  return target;
}

bool Machines::is_current(store::Transaction& tx, const StartTarget& target) const {
  const std::string& arn = target.machine.arn;
  const auto row = tx.query_one("SELECT status, revision FROM machines WHERE arn = $1", {arn});
  const bool fits = row && row->text(0) == "ACTIVE" &&
                    (!target.version_arn.empty() || row->text(1) == target.machine.revision);
  if (fits) return true;
  {
    const std::lock_guard lock(mutex_);
    targets_.erase(arn);
  }
  if (!row) throw no_such_machine(arn);
  if (row->text(0) != "ACTIVE") throw machine_is_deleting(arn);
  return false;
}

Compiled Machines::compiled(const std::string& revision) const {
  {
    const std::lock_guard lock(mutex_);
    for (auto at = compiled_.begin(); at != compiled_.end(); ++at) {
      if (at->first != revision) continue;
      compiled_.splice(compiled_.begin(), compiled_, at);
      return compiled_.front().second;
    }
  }
  std::string definition;
  database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one("SELECT definition FROM machine_revisions WHERE id = $1", {revision});
    if (!row) {
      throw base::Error(base::ErrorCode::data_corrupted,
                        "the definition of an execution (revision " + revision + ") is gone");
    }
    definition = row->text(0);
  });
  auto made = std::make_shared<const asl::StateMachine>(asl::StateMachine::parse(definition));
  keep(revision, made);
  return made;
}

void Machines::keep(const std::string& revision, const Compiled& compiled) const {
  const std::lock_guard lock(mutex_);
  compiled_.emplace_front(revision, compiled);
  if (compiled_.size() > kCompiled) compiled_.pop_back();
}

}  // namespace andon::workflow
