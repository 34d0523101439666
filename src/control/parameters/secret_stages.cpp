// SPDX-License-Identifier: Apache-2.0
#include "control/parameters/secret_stages.hpp"

#include "base/error/error.hpp"
#include "control/parameters/secrets.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

std::vector<std::string> stages_at(store::Transaction& tx, std::int64_t secret,
                                   const std::string& version_id) {
  std::vector<std::string> stages;
  for (const auto& row :
       tx.query("SELECT stage FROM secret_stages WHERE secret_id = $1 AND version_id = $2 ORDER BY "
                "stage",
                {secret, version_id})) {
    stages.push_back(row.text(0));
  }
  return stages;
}

void set_stage(store::Transaction& tx, std::int64_t secret, const std::string& stage,
               const std::string& version_id) {
  tx.execute(
      "INSERT INTO secret_stages (secret_id, stage, version_id) VALUES ($1, $2, $3) ON CONFLICT "
      "(secret_id, stage) DO UPDATE SET version_id = excluded.version_id",
      {secret, stage, version_id});
}

}  // namespace

std::map<std::string, std::vector<std::string>> stages_of(store::Transaction& tx,
                                                          std::int64_t secret) {
  std::map<std::string, std::vector<std::string>> stages;
  for (const auto& row :
       tx.query("SELECT version_id, stage FROM secret_stages WHERE secret_id = $1 ORDER BY stage",
                {secret})) {
    stages[row.text(0)].push_back(row.text(1));
  }
  return stages;
}

std::optional<std::string> version_at(store::Transaction& tx, std::int64_t secret,
                                      const std::string& stage) {
  const auto row = tx.query_one(
      "SELECT version_id FROM secret_stages WHERE secret_id = $1 AND stage = $2", {secret, stage});
  return row ? std::optional(row->text(0)) : std::nullopt;
}

void attach_stage(store::Transaction& tx, std::int64_t secret, const std::string& stage,
                  const std::string& version_id) {
  const auto before = version_at(tx, secret, stage);
  if (before == version_id) return;
  if (before && stage == kSecretCurrent) {
    set_stage(tx, secret, std::string(kSecretPrevious), *before);
  }
  set_stage(tx, secret, stage, version_id);
  const auto count =
      tx.query_one("SELECT count(*) FROM secret_stages WHERE secret_id = $1", {secret});
  if (count->integer(0) > static_cast<std::int64_t>(Secrets::kMostStages)) {
    throw Error(ErrorCode::resource_exhausted,
                "a secret has at most " + std::to_string(Secrets::kMostStages) +
                    " staging labels: remove one with UpdateSecretVersionStage");
  }
}

void forget_versions(store::Transaction& tx, std::int64_t secret) {
  const auto count =
      tx.query_one("SELECT count(*) FROM secret_versions WHERE secret_id = $1", {secret});
  const std::int64_t too_many = count->integer(0) - Secrets::kMostVersions;
  if (too_many <= 0) return;
  tx.execute(
      "DELETE FROM secret_versions WHERE secret_id = $1 AND version_id IN (SELECT v.version_id "
      "FROM secret_versions v WHERE v.secret_id = $1 AND NOT EXISTS (SELECT 1 FROM secret_stages s "
      "WHERE s.secret_id = v.secret_id AND s.version_id = v.version_id) ORDER BY v.ordinal LIMIT "
      "$2)",
      {secret, too_many});
}

SecretVersion secret_version_row(store::Transaction& tx, std::int64_t secret,
                                 const store::Row& row) {
  SecretVersion version{.id = row.text(0),
                        .is_binary = row.text(1) == "binary",
                        .created = stored_time(row.integer(2)),
                        .accessed = {},
                        .stages = stages_at(tx, secret, row.text(0))};
  if (const auto accessed = row.optional_integer(3)) version.accessed = stored_time(*accessed);
  return version;
}

std::optional<SecretVersion> find_version(store::Transaction& tx, std::int64_t secret,
                                          const std::string& version_id) {
  const auto row = tx.query_one("SELECT " + std::string(kSecretVersionColumns) +
                                    " FROM secret_versions WHERE secret_id = $1 AND version_id = "
                                    "$2",
                                {secret, version_id});
  if (!row) return std::nullopt;
  return secret_version_row(tx, secret, *row);
}

}  // namespace andon::control
