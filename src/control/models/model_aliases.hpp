// SPDX-License-Identifier: Apache-2.0
// Free names for versions of a model ("champion"), which move from one to the next, and the history
// of every move, to which rows are only ever added. Each call is one transaction; any thread.
// Errors are base::Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct ModelAlias {
  std::string group;
  std::string name;
  std::int64_t version = 0;
  base::Timestamp moved;
};

struct AliasMove {
  std::int64_t id = 0;  // rises
  std::string alias;
  std::int64_t from = 0;  // 0: the alias was not there
  std::int64_t to = 0;    // 0: it was removed
  std::string by;
  std::string note;
  base::Timestamp time;
};

struct AliasChange {
  std::string group;
  std::string alias;
  std::int64_t version = 0;              // 0: removes it
  std::optional<std::int64_t> expected;  // the version that it has now; 0: none
  std::string by;
  std::string note;
};

class ModelAliases {
 public:
  static constexpr std::int64_t kMostAliases = 100;   // of a model
  static constexpr std::int64_t kMostMoves = 10'000;  // of a model, ever
  static constexpr std::size_t kMostNote = 1024;

  // `database` is the registry's; its schema is brought up to date.
  ModelAliases(store::Database& database, const base::Clock& clock);

  // Moving it to where it is changes nothing and adds no row. not_found for a version that is not
  // registered, or an alias that is to be removed and is not there; conflict where it is not at
  // `expected`; invalid_argument for a name that is none: 1 to 63 letters, digits, '-' and '_',
  // beginning with a letter.
  ModelAlias move(const AliasChange& change);
  [[nodiscard]] std::optional<ModelAlias> find(const std::string& group,
                                               const std::string& alias) const;
  [[nodiscard]] std::vector<ModelAlias> list(const std::string& group) const;
  // Of one alias, or of all where it is empty; the newest first.
  [[nodiscard]] Page<AliasMove> moves(const std::string& group, const std::string& alias,
                                      const PageRequest& page) const;

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

// Within a transaction that deletes the version: throws conflict while an alias is at it.
void require_no_alias(store::Transaction& tx, const std::string& group, std::int64_t version);
void migrate_model_aliases(store::Database& database);

}  // namespace andon::control
