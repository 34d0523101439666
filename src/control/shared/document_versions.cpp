// SPDX-License-Identifier: Apache-2.0
#include "control/shared/document_versions.hpp"

#include <fmt/format.h>

#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using store::Row;
using store::Transaction;

DocumentVersion read(const Row& row) {
  return {.version = row.integer(0),
          .is_default = row.integer(0) == row.integer(3),
          .document = row.text(1),
          .created = stored_time(row.integer(2))};
}

}  // namespace

std::string DocumentVersions::select() const {
  return fmt::format(
      "SELECT v.version, v.{document}, v.created_ms, o.default_version FROM {versions} v "
      "JOIN {owners} o ON o.{key} = v.{key} WHERE v.{key} = $1 ",
      fmt::arg("document", tables_.document), fmt::arg("versions", tables_.versions),
      fmt::arg("owners", tables_.owners), fmt::arg("key", tables_.key));
}

void DocumentVersions::insert_first(Transaction& tx, const std::string& key,
                                    const std::string& document, base::Timestamp now) const {
  tx.execute(fmt::format("INSERT INTO {} ({}, version, {}, created_ms) VALUES ($1, 1, $2, $3)",
                         tables_.versions, tables_.key, tables_.document),
             {key, document, to_stored(now)});
}

std::optional<DocumentVersion> DocumentVersions::add(Transaction& tx, const std::string& key,
                                                     const std::string& document,
                                                     VersionStanding standing,
                                                     base::Timestamp now) const {
  if (count(tx, key) >= kMost) return std::nullopt;
  const bool is_default = standing == VersionStanding::is_default;
  tx.execute(fmt::format("UPDATE {} SET last_version = last_version + 1, {} updated_ms = $2 "
                         "WHERE {} = $1",
                         tables_.owners, is_default ? "default_version = last_version + 1," : "",
                         tables_.key),
             {key, to_stored(now)});
  tx.execute(
      fmt::format("INSERT INTO {versions} ({key}, version, {document}, created_ms) "
                  "SELECT {key}, last_version, $2, $3 FROM {owners} WHERE {key} = $1",
                  fmt::arg("versions", tables_.versions), fmt::arg("key", tables_.key),
                  fmt::arg("document", tables_.document), fmt::arg("owners", tables_.owners)),
      {key, document, to_stored(now)});
  return read(*tx.query_one(select() + "AND v.version = o.last_version", {key}));
}

std::optional<DocumentVersion> DocumentVersions::find(Transaction& tx, const std::string& key,
                                                      std::int64_t version) const {
  const auto row = tx.query_one(select() + "AND v.version = $2", {key, version});
  if (!row) return std::nullopt;
  return read(*row);
}

std::vector<DocumentVersion> DocumentVersions::all(Transaction& tx, const std::string& key) const {
  std::vector<DocumentVersion> versions;
  for (const Row& row : tx.query(select() + "ORDER BY v.version DESC", {key})) {
    versions.push_back(read(row));
  }
  return versions;
}

std::int64_t DocumentVersions::count(Transaction& tx, const std::string& key) const {
  return tx
      .query_one(
          fmt::format("SELECT count(*) FROM {} WHERE {} = $1", tables_.versions, tables_.key),
          {key})
      ->integer(0);
}

bool DocumentVersions::set_default(Transaction& tx, const std::string& key, std::int64_t version,
                                   base::Timestamp now) const {
  if (!find(tx, key, version)) return false;
  tx.execute(fmt::format("UPDATE {} SET default_version = $2, updated_ms = $3 WHERE {} = $1",
                         tables_.owners, tables_.key),
             {key, version, to_stored(now)});
  return true;
}

bool DocumentVersions::remove(Transaction& tx, const std::string& key, std::int64_t version) const {
  return tx.execute(fmt::format("DELETE FROM {} WHERE {} = $1 AND version = $2", tables_.versions,
                                tables_.key),
                    {key, version}) > 0;
}

}  // namespace andon::control
