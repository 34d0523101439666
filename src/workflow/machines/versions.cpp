// SPDX-License-Identifier: Apache-2.0
// Versions: numbered, immutable, at most one a revision.
#include "base/error/error.hpp"
#include "workflow/machines/machines.hpp"
#include "workflow/machines/rows.hpp"

namespace andon::workflow {
namespace {

constexpr std::int64_t kMostVersions = 1000;

std::int64_t number_of(const std::string& text) {
  return std::atoll(text.c_str());
}

}  // namespace

std::string Machines::publish_in(store::Transaction& tx, const std::string& machine,
                                 const std::string& revision, const std::string& description,
                                 base::Timestamp* created) const {
  const auto there = tx.query_one(
      "SELECT version, created_ms FROM machine_versions WHERE machine = $1 AND revision = $2",
      {machine, revision});
  if (there) {
    if (created != nullptr) *created = base::from_epoch_millis(there->integer(1));
    return version_arn(machine, there->integer(0));
  }
  const auto count =
      tx.query_one("SELECT count(*) FROM machine_versions WHERE machine = $1", {machine});
  if (count->integer(0) >= kMostVersions) {
    throw Refusal("ServiceQuotaExceededException",
                  "The state machine has " + std::to_string(kMostVersions) +
                      " versions, the most there may be; delete one first");
  }
  const auto next = tx.query_one("SELECT next_version FROM machines WHERE arn = $1", {machine});
  const std::int64_t version = next->integer(0);
  const base::Timestamp now = clock_.now();
  tx.execute("UPDATE machines SET next_version = $1 WHERE arn = $2", {version + 1, machine});
  tx.execute(
      "INSERT INTO machine_versions (machine, version, revision, description, created_ms) "
      "VALUES ($1, $2, $3, $4, $5)",
      {machine, version, revision, description, base::to_epoch_millis(now)});
  if (created != nullptr) *created = now;
  return version_arn(machine, version);
}

Machines::Published Machines::publish(const std::string& arn,
                                      const std::optional<std::string>& revision_id,
                                      const std::string& description) {
  const MachineArn named = read_machine_arn(arn);
  if (!named.qualifier.empty()) throw no_such_machine(arn);
  Published published;
  database_.write([&](store::Transaction& tx) {
    const Machine machine = current(tx, arn);
    if (machine.is_deleting) throw machine_is_deleting(arn);
    // Clients call the first revision INITIAL, as it has no id of its own.
    const bool fits = !revision_id || *revision_id == machine.revision_id ||
                      (machine.revision_id.empty() && *revision_id == "INITIAL");
    if (!fits) {
      throw Refusal("ConflictException",
                    "Failed to publish the State Machine version for revision " + *revision_id +
                        ". The current State Machine revision is " +
                        (machine.revision_id.empty() ? "INITIAL" : machine.revision_id) + ".");
    }
    published.arn = publish_in(tx, arn, machine.revision, description, &published.created);
  });
  return published;
}

void Machines::delete_version(const std::string& arn) {
  const MachineArn named = read_machine_arn(arn);
  if (!named.is_version()) {
    throw Refusal("ValidationException", "The ARN '" + arn + "' is not that of a version");
  }
  database_.write([&](store::Transaction& tx) {
    std::string aliases;
    for (const auto& row :
         tx.query("SELECT name, routes FROM machine_aliases WHERE machine = $1 ORDER BY name",
                  {named.unqualified})) {
      const auto routes = base::parse_json(row.text(1), "an alias's routes");
      for (const auto& route : routes.as_array()) {
        if (route.at("stateMachineVersionArn").as_string() != arn) continue;
        if (!aliases.empty()) aliases += ", ";
        aliases += row.text(0);
      }
    }
    if (!aliases.empty()) {
      throw Refusal("ConflictException",
                    "Version to be deleted must not be referenced by an alias. Current list of "
                    "aliases referencing this version: [" +
                        aliases + "]");
    }
    tx.execute("DELETE FROM machine_versions WHERE machine = $1 AND version = $2",
               {named.unqualified, number_of(named.qualifier)});
  });
}

Listed<MachineVersion> Machines::list_versions(const std::string& arn, const PageOf& page) const {
  const MachineArn named = read_machine_arn(arn);
  if (!named.qualifier.empty()) throw no_such_machine(arn);
  Listed<MachineVersion> listed;
  database_.read([&](store::Transaction& tx) {
    const std::int64_t before = page.after.empty() ? INT64_MAX : number_of(page.after);
    const auto rows = tx.query(
        "SELECT version, description, created_ms FROM machine_versions WHERE machine = $1 "
        "AND version < $2 ORDER BY version DESC LIMIT $3",
        {arn, before, static_cast<std::int64_t>(page.limit) + 1});
    for (const auto& row : rows) {
      if (listed.items.size() == page.limit) {
        listed.next = read_machine_arn(listed.items.back().arn).qualifier;
        break;
      }
      listed.items.push_back(
          {version_arn(arn, row.integer(0)), row.text(1), base::from_epoch_millis(row.integer(2))});
    }
  });
  return listed;
}

}  // namespace andon::workflow
