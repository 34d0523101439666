// SPDX-License-Identifier: Apache-2.0
#include "server/backup/sealing_file.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/seal.hpp"

namespace andon::server {
namespace {

using base::fs::path;

constexpr unsigned kPrivateFile = 0600;
// What is sealed lies in these.
constexpr const char* kSealedTables[] = {"connections", "parameter_versions", "secret_versions"};

bool has_table(store::Transaction& tx, const char* name) {
  return tx.query_one("SELECT 1 FROM sqlite_schema WHERE name = $1", {name}).has_value();
}

std::string digest_of(const std::string& bytes) {
  return trust::sha256_hex("sealing key " + bytes);
}

std::optional<std::string> noted_digest(store::Transaction& tx) {
  if (!has_table(tx, "sealing_key")) return std::nullopt;
  const auto row = tx.query_one("SELECT sha256 FROM sealing_key");
  return row ? std::optional(row->text(0)) : std::nullopt;
}

}  // namespace

std::optional<std::string> read_key_file(const path& file) {
  const auto text = base::read_file_if_exists(file);
  if (!text) return std::nullopt;
  const auto bytes = base::from_hex(base::trim(*text, " \t\r\n"));
  if (!bytes || bytes->size() != trust::SealingKey::kBytes) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "'" + file.string() + "' holds no key: restore it from a backup");
  }
  return *bytes;
}

void write_key_file(const path& file, const std::string& bytes) {
  base::write_file_atomically(file, base::to_hex(base::as_bytes(bytes)) + "\n", kPrivateFile);
}

std::optional<std::string> read_sealing_key(const path& data) {
  return read_key_file(data / kSealingKeyFile);
}

void note_sealing_key(store::Database& database, const std::string& bytes) {
  database.migrate("sealing", {{"0001-key", "CREATE TABLE sealing_key (sha256 TEXT NOT NULL);"}});
  const std::string digest = digest_of(bytes);
  if (database.read([](store::Transaction& tx) { return noted_digest(tx); }) == digest) return;
  database.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM sealing_key");
    tx.execute("INSERT INTO sealing_key (sha256) VALUES ($1)", {digest});
  });
}

std::optional<std::string> sealing_problem(const path& data, const store::Database& database) {
  std::optional<std::string> noted;
  const bool has_sealed = database.read([&](store::Transaction& tx) {
    noted = noted_digest(tx);
    return std::ranges::any_of(kSealedTables, [&](const char* table) {
      return has_table(tx, table) &&
             tx.query_one(std::string("SELECT 1 FROM ") + table + " LIMIT 1");
    });
  });
  if (!has_sealed) return std::nullopt;
  std::string what = "is missing";
  try {
    const auto bytes = read_sealing_key(data);
    if (bytes && (!noted || *noted == digest_of(*bytes))) return std::nullopt;
    if (bytes) what = "is another key";
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::data_corrupted) throw;
    return error.message();
  }
  return "'" + (data / kSealingKeyFile).string() + "' " + what +
         ", and parameters, secrets and the credentials of connections are sealed with it: restore "
         "it from a backup";
}

}  // namespace andon::server
