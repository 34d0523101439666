// SPDX-License-Identifier: Apache-2.0
// Secrets made, read, changed and removed; their lists are in secret_lists.cpp.
#include "control/parameters/secrets.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "base/text/utf8.hpp"
#include "control/parameters/named_refusal.hpp"
#include "control/parameters/rules.hpp"
#include "control/parameters/schema.hpp"
#include "control/parameters/secret_rows.hpp"
#include "control/parameters/secret_stages.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kSuffix = 6;
constexpr std::int64_t kDayMillis = 86'400'000;
// A secret and all that it has, of which a step of the housekeeping removes few.
constexpr std::int64_t kPurgedAtOnce = 20;

store::Database& migrated(store::Database& database) {
  migrate_parameters(database);
  return database;
}

std::string context_of(const Secret& secret, const std::string& version_id) {
  return "secret/" + std::to_string(secret.id) + "/" + version_id;
}

Error invalid_request(std::string message) {
  return {ErrorCode::failed_precondition, std::move(message)};
}

Error no_value(const std::string& what) {
  return {ErrorCode::not_found,
          "Secrets Manager can't find the specified secret value for " + what};
}

void check_value(const SecretValue& value) {
  const bool fits = !value.bytes.empty() && value.bytes.size() <= Secrets::kMostBytes &&
                    (value.is_binary || base::is_utf8(value.bytes));
  if (!fits) {
    throw Error(ErrorCode::invalid_argument,
                "a secret's value has 1 to 65536 bytes, and a SecretString is UTF-8");
  }
}

SecretChange change_of(const Secret& secret, const std::string& version_id = {},
                       std::vector<std::string> stages = {}) {
  return {secret.arn, secret.name, version_id, std::move(stages)};
}

}  // namespace

Secrets::Secrets(store::Database& database, const trust::SealingKey& key, const base::Clock& clock,
                 Arns arns)
    : database_(migrated(database)), key_(key), clock_(clock), arns_(std::move(arns)) {}

std::optional<Secret> Secrets::find(store::Transaction& tx, const Arns& arns,
                                    const std::string& id) {
  const SecretReference reference = parse_secret_reference(id);
  const std::string select = "SELECT " + std::string(kSecretColumns) + " FROM secrets WHERE ";
  if (!reference.suffix.empty()) {
    const auto row = tx.query_one(select + "name = $1 AND suffix = $2",
                                  {reference.short_name, reference.suffix});
    if (row) return secret_row(arns, *row);
  }
  const auto row = tx.query_one(select + "name = $1", {reference.name});
  if (!row) return std::nullopt;
  return secret_row(arns, *row);
}

Secret Secrets::require(store::Transaction& tx, const std::string& id, State state) const {
  auto secret = find(tx, arns_, id);
  if (!secret) {
    throw Error(ErrorCode::not_found, "Secrets Manager can't find the specified secret.");
  }
  if (state == State::not_deleted && secret->deleted) {
    throw invalid_request(
        "You can't perform this operation on the secret because it was marked for deletion.");
  }
  return *std::move(secret);
}

SecretValue Secrets::content_of(store::Transaction& tx, const Secret& secret,
                                const std::string& version_id) const {
  const auto row = tx.query_one(
      "SELECT kind, sealed FROM secret_versions WHERE secret_id = $1 AND version_id = $2",
      {secret.id, version_id});
  if (!row) throw no_value("VersionId: " + version_id);
  return {key_.open(row->blob(1), context_of(secret, version_id)), row->text(0) == "binary"};
}

void Secrets::add_version(store::Transaction& tx, const Secret& secret, const SecretValue& value,
                          const std::string& token, std::vector<std::string> stages) const {
  check_value(value);
  if (find_version(tx, secret.id, token)) {
    const SecretValue there = content_of(tx, secret, token);
    if (there.bytes == value.bytes && there.is_binary == value.is_binary) return;
    throw Error(ErrorCode::already_exists,
                "You can't use ClientRequestToken " + token +
                    " because that value is already in use for a version of secret " + secret.arn +
                    ".");
  }
  const bool is_first = !version_at(tx, secret.id, std::string(kSecretCurrent));
  const bool is_current = std::ranges::find(stages, kSecretCurrent) != stages.end();
  if (stages.empty() || (is_first && !is_current)) stages.emplace_back(kSecretCurrent);
  const std::int64_t now = to_stored(clock_.now());
  const auto last = tx.query_one(
      "SELECT ordinal FROM secret_versions WHERE secret_id = $1 ORDER BY ordinal DESC LIMIT 1",
      {secret.id});
  tx.execute(
      "INSERT INTO secret_versions (secret_id, version_id, ordinal, kind, created_ms, sealed) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      {secret.id, token, last ? last->integer(0) + 1 : 1, value.is_binary ? "binary" : "string",
       now, store::Blob{key_.seal(value.bytes, context_of(secret, token))}});
  for (const std::string& stage : stages) attach_stage(tx, secret.id, stage, token);
  forget_versions(tx, secret.id);
  tx.execute("UPDATE secrets SET changed_ms = $1 WHERE id = $2", {now, secret.id});
}

SecretChange Secrets::create(const NewSecret& wanted) {
  check_secret_name(wanted.name);
  return database_.write([&](store::Transaction& tx) {
    if (const auto there = find(tx, arns_, wanted.name)) {
      if (there->deleted) {
        throw invalid_request(
            "You can't create this secret because a secret with this name is already scheduled for "
            "deletion.");
      }
      // The same request again is answered as the first one was.
      const bool is_again = wanted.value && find_version(tx, there->id, wanted.token);
      if (!is_again) {
        throw Error(ErrorCode::already_exists,
                    "The operation failed because the secret " + wanted.name + " already exists.");
      }
      add_version(tx, *there, *wanted.value, wanted.token, {});
      return change_of(*there, wanted.token);
    }
    if (tx.query_one("SELECT count(*) FROM secrets")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " secrets, delete some");
    }
    constexpr std::string_view kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const std::int64_t now = to_stored(clock_.now());
    tx.execute(
        "INSERT INTO secrets (name, suffix, description, created_ms, changed_ms) VALUES ($1, $2, "
        "$3, $4, $4)",
        {wanted.name, base::random_text(kSuffix, kLetters), wanted.description, now});
    const Secret made = *find(tx, arns_, wanted.name);
    store_tags(tx, made.arn, wanted.tags);
    if (!wanted.value) return change_of(made);
    add_version(tx, made, *wanted.value, wanted.token, {});
    return change_of(made, wanted.token);
  });
}

SecretChange Secrets::put(const std::string& id, const SecretValue& value, const std::string& token,
                          const std::vector<std::string>& stages) {
  return database_.write([&](store::Transaction& tx) {
    const Secret secret = require(tx, id, State::not_deleted);
    add_version(tx, secret, value, token, stages);
    return change_of(secret, token, find_version(tx, secret.id, token)->stages);
  });
}

SecretChange Secrets::update(const std::string& id, const SecretUpdate& update) {
  return database_.write([&](store::Transaction& tx) {
    const Secret secret = require(tx, id, State::not_deleted);
    if (update.description) {
      tx.execute("UPDATE secrets SET description = $1, changed_ms = $2 WHERE id = $3",
                 {*update.description, to_stored(clock_.now()), secret.id});
    }
    if (!update.value) return change_of(secret);
    add_version(tx, secret, *update.value, update.token, {});
    return change_of(secret, update.token);
  });
}

SecretContent Secrets::get(const std::string& id, const std::optional<std::string>& version_id,
                           const std::optional<std::string>& stage) {
  Secret secret;
  const SecretContent content = database_.read([&](store::Transaction& tx) -> SecretContent {
    secret = require(tx, id, State::not_deleted);
    const std::string wanted_stage = stage.value_or(std::string(kSecretCurrent));
    auto at = version_id;
    if (!at) at = version_at(tx, secret.id, wanted_stage);
    if (!at) throw no_value("staging label: " + wanted_stage);
    auto version = find_version(tx, secret.id, *at);
    if (!version) throw no_value("VersionId: " + *at);
    if (version_id && stage &&
        std::ranges::find(version->stages, *stage) == version->stages.end()) {
      throw no_value("VersionId: " + *at + " and staging label: " + *stage);
    }
    return {secret.arn, secret.name, *version, content_of(tx, secret, *at)};
  });
  note_access(secret, content.version);
  return content;
}

// A day is all that is told, so most reads write nothing.
void Secrets::note_access(const Secret& secret, const SecretVersion& version) {
  const std::int64_t day = to_stored(clock_.now()) / kDayMillis * kDayMillis;
  const auto is_noted = [&](const std::optional<base::Timestamp>& accessed) {
    return accessed && to_stored(*accessed) >= day;
  };
  if (is_noted(secret.accessed) && is_noted(version.accessed)) return;
  database_.write([&](store::Transaction& tx) {
    tx.execute("UPDATE secrets SET accessed_ms = $1 WHERE id = $2", {day, secret.id});
    tx.execute(
        "UPDATE secret_versions SET accessed_ms = $1 WHERE secret_id = $2 AND version_id = $3",
        {day, secret.id, version.id});
  });
}

SecretChange Secrets::move_stage(const std::string& id, const std::string& stage,
                                 const std::optional<std::string>& from,
                                 const std::optional<std::string>& to) {
  return database_.write([&](store::Transaction& tx) {
    const Secret secret = require(tx, id, State::not_deleted);
    const auto at = version_at(tx, secret.id, stage);
    const auto refuse = [](const std::string& message) {
      throw Error(ErrorCode::invalid_argument, message);
    };
    if (from && from != at) {
      refuse("The staging label " + stage + " isn't attached to version " + *from + ".");
    }
    if (at && !from && at != to) {
      refuse("The parameter RemoveFromVersionId can't be empty. Staging label " + stage +
             " is currently attached to version " + *at +
             ", so you must explicitly reference that version in RemoveFromVersionId.");
    }
    if (!to) {
      if (!from)
        refuse("UpdateSecretVersionStage: give RemoveFromVersionId, MoveToVersionId or both");
      if (stage == kSecretCurrent) {
        refuse(
            "You can only move staging label AWSCURRENT to a different secret version. It can't "
            "be completely removed.");
      }
      tx.execute("DELETE FROM secret_stages WHERE secret_id = $1 AND stage = $2",
                 {secret.id, stage});
      return change_of(secret);
    }
    if (!find_version(tx, secret.id, *to)) throw no_value("VersionId: " + *to);
    attach_stage(tx, secret.id, stage, *to);
    return change_of(secret);
  });
}

Secrets::Removal Secrets::remove(const std::string& id, std::chrono::days recovery) {
  return database_.write([&](store::Transaction& tx) -> Removal {
    const Secret secret = require(tx, id, State::any);
    if (secret.deleted) {
      throw invalid_request(
          "You can't perform this operation on the secret because it was already scheduled for "
          "deletion.");
    }
    const base::Timestamp now = clock_.now();
    const base::Timestamp when = now + recovery;
    tx.execute("UPDATE secrets SET deleted_ms = $1, purge_ms = $2 WHERE id = $3",
               {to_stored(now), to_stored(when), secret.id});
    return {secret.arn, secret.name, when};
  });
}

void Secrets::erase(store::Transaction& tx, const Secret& secret) {
  tx.execute("DELETE FROM secrets WHERE id = $1", {secret.id});
  tx.execute("DELETE FROM tags WHERE arn = $1", {secret.arn});
}

Secrets::Removal Secrets::remove_now(const std::string& id) {
  return database_.write([&](store::Transaction& tx) -> Removal {
    const auto secret = find(tx, arns_, id);
    if (!secret) return {{}, id, clock_.now()};
    erase(tx, *secret);
    return {secret->arn, secret->name, clock_.now()};
  });
}

SecretChange Secrets::restore(const std::string& id) {
  return database_.write([&](store::Transaction& tx) {
    const Secret secret = require(tx, id, State::any);
    tx.execute("UPDATE secrets SET deleted_ms = NULL, purge_ms = NULL WHERE id = $1", {secret.id});
    return change_of(secret);
  });
}

std::int64_t Secrets::purge(std::int64_t limit) {
  return database_.write([&](store::Transaction& tx) {
    const auto rows = tx.query(
        "SELECT " + std::string(kSecretColumns) + " FROM secrets WHERE purge_ms <= $1 LIMIT $2",
        {to_stored(clock_.now()), std::min(limit, kPurgedAtOnce)});
    for (const auto& row : rows) erase(tx, secret_row(arns_, row));
    return static_cast<std::int64_t>(rows.size());
  });
}

void Secrets::tag(const std::string& id, const TagMap& tags) {
  database_.write([&](store::Transaction& tx) {
    store_tags(tx, require(tx, id, State::not_deleted).arn, tags);
  });
}

void Secrets::untag(const std::string& id, const std::vector<std::string>& keys) {
  const std::string arn = database_.read(
      [&](store::Transaction& tx) { return require(tx, id, State::not_deleted).arn; });
  Tags(database_).remove(arn, keys);
}

std::optional<std::string> Secrets::arn_of(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<std::string> {
    const auto secret = find(tx, arns_, id);
    return secret ? std::optional(secret->arn) : std::nullopt;
  });
}

std::int64_t Secrets::count() const {
  return database_.read([](store::Transaction& tx) {
    return tx.query_one("SELECT count(*) FROM secrets")->integer(0);
  });
}

}  // namespace andon::control
