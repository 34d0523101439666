// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_journal.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::edge {
namespace {

using store::SqlValue;

constexpr std::string_view kColumns =
    "SELECT id, job_id, queued_at, state, attempts, document, plan, previous_configuration, "
    "failure, failed_in, bytes_fetched FROM deployments ";

json::object configurations_to_json(const Configurations& configurations) {
  json::object all;
  for (const auto& [component, content] : configurations) all[component] = content;
  return all;
}

Configurations parse_configurations(std::string_view text) {
  Configurations all;
  const json::value value = base::parse_json(text, "saved configuration");
  for (const auto& [component, content] : value.as_object()) {
    all[component] = content.as_object();
  }
  return all;
}

DeploymentRecord read(const store::Row& row) {
  DeploymentRecord record;
  record.id = row.integer(0);
  record.job_id = row.text(1);
  record.queued_at = row.integer(2);
  record.state_name = row.text(3);
  record.attempts = static_cast<int>(row.integer(4));
  record.document = row.text(5);
  if (const auto plan = row.optional_text(6)) {
    record.plan = parse_installed_set(base::parse_json(*plan, "saved plan"));
  }
  if (const auto previous = row.optional_text(7)) {
    record.previous_configuration = parse_configurations(*previous);
  }
  if (const auto failure = row.optional_text(8)) {
    record.failure = parse_failure_report(base::parse_json(*failure, "saved failure"));
  }
  record.failed_in = row.optional_text(9).value_or("");
  record.bytes_fetched = static_cast<std::uint64_t>(row.integer(10));
  return record;
}

}  // namespace

DeploymentJournal::DeploymentJournal(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {}

std::int64_t DeploymentJournal::begin(store::Transaction& transaction,
                                      const DeploymentRecord& record) const {
  transaction.execute(
      "INSERT INTO deployments (job_id, queued_at, state, document, updated_ms) "
      "VALUES ($1, $2, $3, $4, $5)",
      {record.job_id, record.queued_at, record.state_name, record.document,
       base::to_epoch_millis(clock_.now())});
  const auto id = transaction.query_one("SELECT max(id) FROM deployments").value().integer(0);
  transaction.execute("DELETE FROM deployments WHERE id <= $1", {id - kRowsKept});
  return id;
}

std::optional<DeploymentRecord> DeploymentJournal::latest() const {
  std::optional<DeploymentRecord> record;
  database_.read([&](store::Transaction& transaction) {
    const auto row = transaction.query_one(std::string(kColumns) + "ORDER BY id DESC LIMIT 1");
    if (row) record = read(*row);
  });
  return record;
}

std::optional<DeploymentRecord> DeploymentJournal::unfinished() const {
  std::optional<DeploymentRecord> record = latest();
  if (record && record->state() && is_end(*record->state())) return std::nullopt;
  return record;
}

std::vector<DeploymentJournal::KnownJob> DeploymentJournal::known_jobs() const {
  std::vector<KnownJob> known;
  database_.read([&](store::Transaction& transaction) {
    for (const store::Row& row :
         transaction.query("SELECT job_id, queued_at FROM deployments ORDER BY id")) {
      known.push_back({row.text(0), row.integer(1)});
    }
  });
  return known;
}

void DeploymentJournal::write(store::Transaction& transaction,
                              const DeploymentRecord& record) const {
  SqlValue plan;
  SqlValue previous;
  SqlValue failure;
  if (record.plan) plan = base::to_text(to_json(*record.plan));
  if (record.previous_configuration) {
    previous = base::to_text(configurations_to_json(*record.previous_configuration));
  }
  if (record.failure) failure = base::to_text(to_json(*record.failure));
  transaction.execute(
      "UPDATE deployments SET state = $1, attempts = 0, plan = $2, previous_configuration = $3, "
      "failure = $4, failed_in = $5, bytes_fetched = $6, updated_ms = $7 WHERE id = $8",
      {record.state_name, plan, previous, failure, record.failed_in,
       static_cast<std::int64_t>(record.bytes_fetched), base::to_epoch_millis(clock_.now()),
       record.id});
}

void DeploymentJournal::count_attempt(DeploymentRecord& record) {
  ++record.attempts;
  database_.write([&](store::Transaction& transaction) {
    transaction.execute("UPDATE deployments SET attempts = $1 WHERE id = $2",
                        {std::int64_t{record.attempts}, record.id});
  });
}

InstalledSet DeploymentJournal::last_good() const {
  InstalledSet set;
  database_.read([&](store::Transaction& transaction) {
    const auto row = transaction.query_one("SELECT content FROM installed_set WHERE slot = 'good'");
    if (row) set = parse_installed_set(base::parse_json(row->text(0), "saved set of components"));
  });
  return set;
}

std::vector<DeploymentJournal::Left> DeploymentJournal::left() const {
  std::vector<Left> all;
  database_.read([&](store::Transaction& transaction) {
    for (const store::Row& row : transaction.query(
             "SELECT rowid, content, configuration FROM leaving_components ORDER BY rowid")) {
      all.push_back({row.integer(0),
                     parse_installed_set(base::parse_json(row.text(1), "components that leave")),
                     parse_configurations(row.text(2))});
    }
  });
  return all;
}

std::int64_t DeploymentJournal::write_left(store::Transaction& transaction, const Left& left) {
  transaction.execute("INSERT INTO leaving_components (content, configuration) VALUES ($1, $2)",
                      {base::to_text(to_json(left.before)),
                       base::to_text(configurations_to_json(left.configurations))});
  return transaction.query_one("SELECT max(rowid) FROM leaving_components").value().integer(0);
}

void DeploymentJournal::note_uninstalled(store::Transaction& transaction, std::int64_t id) {
  transaction.execute(
      "UPDATE leaving_components SET content = '{}', configuration = '{}' WHERE rowid = $1", {id});
}

void DeploymentJournal::forget_left(store::Transaction& transaction, std::int64_t id) {
  transaction.execute("DELETE FROM leaving_components WHERE rowid = $1", {id});
}

void DeploymentJournal::write_last_good(store::Transaction& transaction, const InstalledSet& set) {
  transaction.execute(
      "INSERT INTO installed_set (slot, content) VALUES ('good', $1) "
      "ON CONFLICT (slot) DO UPDATE SET content = $1",
      {base::to_text(to_json(set))});
}

}  // namespace andon::edge
