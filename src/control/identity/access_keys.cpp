// SPDX-License-Identifier: Apache-2.0
#include "control/identity/access_keys.hpp"

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"

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
constexpr std::chrono::hours kLongestSession{36};

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
)"},
                                                   {"certificate", R"(
ALTER TABLE access_key ADD COLUMN certificate TEXT NOT NULL DEFAULT '';
)"},
                                                   {"sessions", R"(
ALTER TABLE access_key ADD COLUMN session_policy TEXT NOT NULL DEFAULT '';
CREATE INDEX access_key_by_principal ON access_key (principal, created, id);
)"}};

constexpr std::string_view kColumns =
    "id, secret, principal, created, session_token, expires, disabled, certificate, "
    "session_policy";

AccessKey read_key(const store::Row& row) {
  AccessKey key{.id = row.text(0),
                .secret = row.text(1),
                .principal = row.text(2),
                .created = base::from_epoch_millis(row.integer(3)),
                .session_token = row.text(4),
                .is_disabled = row.integer(6) != 0,
                .certificate = row.text(7),
                .session_policy = row.text(8)};
  if (const auto expires = row.optional_integer(5)) {
    key.expires = base::from_epoch_millis(*expires);
  }
  return key;
}

Error no_key(const std::string& id) {
  return {ErrorCode::not_found,
          "The Access Key with id " + id.substr(0, 128) + " cannot be found."};
}

void insert(store::Transaction& tx, const AccessKey& key) {
  tx.execute(
      "INSERT INTO access_key (id, secret, principal, created, session_token, expires, "
      "certificate, session_policy) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {key.id, key.secret, key.principal, base::to_epoch_millis(key.created), key.session_token,
       key.expires ? store::SqlValue(base::to_epoch_millis(*key.expires)) : store::SqlValue(),
       key.certificate, key.session_policy});
}

void insert(store::Database& database, const AccessKey& key) {
  database.write([&](store::Transaction& tx) { insert(tx, key); });
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

AccessKey AccessKeys::create_temporary(const std::string& principal, std::chrono::seconds lifetime,
                                       const std::string& certificate) {
  if (lifetime < kShortestLifetime || lifetime > kLongestLifetime) {
    throw Error(ErrorCode::invalid_argument,
                "temporary credentials last from 60 to 43200 seconds, not " +
                    std::to_string(lifetime.count()));
  }
  AccessKey key = make_temporary(principal, lifetime);
  key.certificate = certificate;
  insert(database_, key);
  return key;
}

AccessKey AccessKeys::make_temporary(const std::string& principal,
                                     std::chrono::seconds lifetime) const {
  AccessKey key{.id = "ASIA" + base::random_text(16, kIdAlphabet),
                .secret = base::random_text(kSecretLength, kSecretAlphabet),
                .principal = principal,
                .created = clock_.now(),
                .session_token = base::to_base64(base::random_bytes(kTokenBytes))};
  key.expires = key.created + lifetime;
  return key;
}

AccessKey AccessKeys::create_session(const std::string& principal, std::chrono::seconds lifetime,
                                     const std::string& session_policy,
                                     const std::string& certificate) {
  if (lifetime < kShortestLifetime || lifetime > kLongestSession) {
    throw Error(ErrorCode::invalid_argument,
                "sessions last from 60 to 129600 seconds, not " + std::to_string(lifetime.count()));
  }
  AccessKey key = make_temporary(principal, lifetime);
  key.session_policy = session_policy;
  key.certificate = certificate;
  insert(database_, key);
  return key;
}

AccessKey AccessKeys::create_limited(const std::string& principal, std::int64_t most) {
  AccessKey key{.id = "AKIA" + base::random_text(16, kIdAlphabet),
                .secret = base::random_text(kSecretLength, kSecretAlphabet),
                .principal = principal,
                .created = clock_.now()};
  database_.write([&](store::Transaction& tx) {
    const auto count = tx.query_one(
        "SELECT count(*) FROM access_key WHERE principal = $1 AND expires IS NULL", {principal});
    if (count->integer(0) >= most) {
      throw Error(ErrorCode::resource_exhausted,
                  "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(most));
    }
    insert(tx, key);
  });
  return key;
}

std::vector<AccessKey> AccessKeys::list_of(const std::string& principal) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<AccessKey> keys;
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM access_key WHERE principal = $1 AND expires IS NULL "
                      "ORDER BY created, id LIMIT 1000",
                  {principal})) {
      keys.push_back(read_key(row));
    }
    return keys;
  });
}

void AccessKeys::set_disabled(const std::string& principal, const std::string& id,
                              bool is_disabled) {
  database_.write([&](store::Transaction& tx) {
    if (tx.execute(
            "UPDATE access_key SET disabled = $1 WHERE id = $2 AND principal = $3 AND expires IS "
            "NULL",
            {std::int64_t{is_disabled ? 1 : 0}, id, principal}) == 0) {
      throw no_key(id);
    }
  });
}

void AccessKeys::remove(const std::string& principal, const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    if (tx.execute("DELETE FROM access_key WHERE id = $1 AND principal = $2 AND expires IS NULL",
                   {id, principal}) == 0) {
      throw no_key(id);
    }
  });
}

std::optional<AccessKey> AccessKeys::find(const std::string& id) const {
  std::optional<AccessKey> key;
  database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one("SELECT " + std::string(kColumns) + " FROM access_key WHERE id = $1", {id});
    if (row) key = read_key(*row);
  });
  return key;
}

std::vector<AccessKey> AccessKeys::list() const {
  std::vector<AccessKey> keys;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                  " FROM access_key WHERE expires IS NULL ORDER BY created, id LIMIT 1000")) {
      keys.push_back(read_key(row));
    }
  });
  return keys;
}

void AccessKeys::disable(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    if (tx.execute("UPDATE access_key SET disabled = 1 WHERE id = $1", {id}) == 0) {
      throw Error(ErrorCode::not_found, "there is no access key '" + id + "'");
    }
  });
}

std::int64_t AccessKeys::remove_expired(std::int64_t limit) {
  const auto oldest = base::to_epoch_millis(clock_.now() - std::chrono::hours(24));
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    removed = tx.execute(
        "DELETE FROM access_key WHERE id IN "
        "(SELECT id FROM access_key WHERE expires < $1 LIMIT $2)",
        {oldest, limit});
  });
  return removed;
}

}  // namespace andon::control
