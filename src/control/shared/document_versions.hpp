// SPDX-License-Identifier: Apache-2.0
// Versions of a document, one of them the default, as policies and provisioning templates have
// them: numbered from 1, a number never used again. Two tables of the owner's:
//   owners    (key, default_version, last_version, updated_ms, ...)
//   versions  (key, version, document, created_ms), which go with their owner
// Within the caller's transaction; `key` names an owner that is there. What is refused is worded by
// the caller. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct DocumentVersion {
  std::int64_t version = 1;
  bool is_default = false;
  std::string document;
  base::Timestamp created;
};

enum class VersionStanding : std::uint8_t { is_default, is_other };

// Names in the database.
struct DocumentTables {
  std::string_view owners;
  std::string_view versions;
  std::string_view key;
  std::string_view document;
};

class DocumentVersions {
 public:
  static constexpr std::int64_t kMost = 5;  // to one owner

  explicit DocumentVersions(DocumentTables tables) : tables_(tables) {}

  // Of an owner that was just made.
  void insert_first(store::Transaction& tx, const std::string& key, const std::string& document,
                    base::Timestamp now) const;
  // Nothing where there are kMost.
  [[nodiscard]] std::optional<DocumentVersion> add(store::Transaction& tx, const std::string& key,
                                                   const std::string& document,
                                                   VersionStanding standing,
                                                   base::Timestamp now) const;
  [[nodiscard]] std::optional<DocumentVersion> find(store::Transaction& tx, const std::string& key,
                                                    std::int64_t version) const;
  // The newest first.
  [[nodiscard]] std::vector<DocumentVersion> all(store::Transaction& tx,
                                                 const std::string& key) const;
  [[nodiscard]] std::int64_t count(store::Transaction& tx, const std::string& key) const;
  // False where there is no such version.
  [[nodiscard]] bool set_default(store::Transaction& tx, const std::string& key,
                                 std::int64_t version, base::Timestamp now) const;
  // Not the default one, which callers refuse. False where there is no such version.
  [[nodiscard]] bool remove(store::Transaction& tx, const std::string& key,
                            std::int64_t version) const;

 private:
  [[nodiscard]] std::string select() const;

  DocumentTables tables_;
};

}  // namespace andon::control
