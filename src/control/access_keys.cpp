// SPDX-License-Identifier: Apache-2.0
#include "control/access_keys.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kSecretLength = 40;
constexpr std::size_t kTokenBytes = 48;
constexpr std::chrono::minutes kShortestLifetime{1};
constexpr std::chrono::hours kLongestLifetime{12};

const std::vector<store::Migration> kMigrations = {{"access keys", R"(
CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  secret TEXT NOT NULL,
  principal TEXT NOT NULL,
  created INTEGER NOT NULL,
  session_token TEXT NOT NULL,
  expires INTEGER,
  disabled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX access_key_by_expiry ON access_key (expires);
)"}};

constexpr std::string_view kColumns =
    "id, secret, principal, created, session_token, expires, disabled";

AccessKey read_key(const store::Row& row) {
  AccessKey key{.id = row.text(0),
                .secret = row.text(1),
                .principal = row.text(2),
                .created = base::from_epoch_millis(row.integer(3)),
                .session_token = row.text(4),
                .is_disabled = row.integer(6) != 0};
  if (const auto expires = row.optional_integer(5)) {
    key.expires = base::from_epoch_millis(*expires);
  }
  return key;
}

void insert(store::Database& database, const AccessKey& key) {
  database.write([&](store::Transaction& transaction) {
    transaction.execute(
        "INSERT INTO access_key (id, secret, principal, created, session_token, expires) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {key.id, key.secret, key.principal, base::to_epoch_millis(key.created), key.session_token,
         key.expires ? store::SqlValue(base::to_epoch_millis(*key.expires)) : store::SqlValue()});
  });
}

}  // namespace

AccessKeys::AccessKeys(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  database_.migrate("access_keys", kMigrations);
}

AccessKey AccessKeys::create(const std::string& principal) {
  AccessKey key{.id = "AKIA" + base::random_text(16, kIdAlphabet),
                .secret = base::random_text(kSecretLength, kSecretAlphabet),
                .principal = principal,
                .created = clock_.now()};
  insert(database_, key);
  return key;
}

AccessKey AccessKeys::create_temporary(const std::string& principal,
                                       std::chrono::seconds lifetime) {
  if (lifetime < kShortestLifetime || lifetime > kLongestLifetime) {
    throw Error(ErrorCode::invalid_argument,
                "temporary credentials last from 60 to 43200 seconds, not " +
                    std::to_string(lifetime.count()));
  }
  AccessKey key{.id = "ASIA" + base::random_text(16, kIdAlphabet),
                .secret = base::random_text(kSecretLength, kSecretAlphabet),
                .principal = principal,
                .created = clock_.now(),
                .session_token = base::to_base64(base::random_bytes(kTokenBytes))};
  key.expires = key.created + lifetime;
  insert(database_, key);
  return key;
}

std::optional<AccessKey> AccessKeys::find(const std::string& id) const {
  std::optional<AccessKey> key;
  database_.read([&](store::Transaction& transaction) {
    const auto row = transaction.query_one(
        "SELECT " + std::string(kColumns) + " FROM access_key WHERE id = $1", {id});
    if (row) key = read_key(*row);
  });
  return key;
}

std::vector<AccessKey> AccessKeys::list() const {
  std::vector<AccessKey> keys;
  database_.read([&](store::Transaction& transaction) {
    for (const store::Row& row :
         transaction.query("SELECT " + std::string(kColumns) +
                           " FROM access_key WHERE expires IS NULL ORDER BY created, id")) {
      keys.push_back(read_key(row));
    }
  });
  return keys;
}

void AccessKeys::disable(const std::string& id) {
  database_.write([&](store::Transaction& transaction) {
    if (transaction.execute("UPDATE access_key SET disabled = 1 WHERE id = $1", {id}) == 0) {
      throw Error(ErrorCode::not_found, "there is no access key '" + id + "'");
    }
  });
}

void AccessKeys::sweep() {
  const auto oldest = base::to_epoch_millis(clock_.now() - std::chrono::hours(24));
  database_.write([&](store::Transaction& transaction) {
    transaction.execute("DELETE FROM access_key WHERE expires < $1", {oldest});
  });
}

}  // namespace andon::control
