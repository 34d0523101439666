// SPDX-License-Identifier: Apache-2.0
// Functions and their versions as they are kept. Each call is one transaction; any thread. Errors
// are base::Error in AWS's words: not_found, already_exists, conflict (something is under way),
// failed_precondition (a revision that is not the latest one). After a crash a version is Pending
// or InProgress still: whoever prepares packages asks for open() at start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "fleet/names/arn.hpp"
#include "functions/registry/names.hpp"
#include "functions/registry/types.hpp"
#include "store/sql/database.hpp"

namespace andon::functions {

struct VersionPage {
  std::vector<Version> versions;
  std::optional<std::string> next;
};

class Registry {
 public:
  Registry(store::Database& database, const base::Clock& clock, fleet::Arns arns);

  // Pending. `config` has the defaults already.
  Version create(const std::string& name, const json::object& config, const Code& code);
  void remove(const std::string& name);
  void remove_version(const std::string& name, std::int64_t number);
  [[nodiscard]] bool has(const std::string& name) const;

  // Versions and aliases; $LATEST where none is named. not_found.
  [[nodiscard]] Version find(const FunctionRef& ref) const;
  // For a call: an alias with two versions draws one. Another word where it is not there.
  [[nodiscard]] Resolved resolve(const FunctionRef& ref) const;
  // $LATEST of each, or all versions, by name.
  [[nodiscard]] VersionPage list(const std::string& after, std::size_t limit,
                                 bool all_versions) const;
  [[nodiscard]] VersionPage versions_of(const std::string& name, const std::string& after,
                                        std::size_t limit) const;

  // The members of `changes` replace those of $LATEST. `revision`: empty, or that of $LATEST.
  Version change_config(const std::string& name, const json::object& changes,
                        const std::string& revision);
  // InProgress until prepared() or failed(); code that it has already changes nothing.
  // The members of `changes` count at once.
  Version change_code(const std::string& name, const Code& code, const std::string& revision,
                      const json::object& changes = {});
  void check_changeable(const std::string& name, const std::string& revision) const;

  // Of what is Pending or InProgress, at most `limit`.
  [[nodiscard]] std::vector<Version> open(std::size_t limit) const;
  // The code that was being prepared; nothing happens if it has changed since.
  void prepared(const std::string& name, const Code& code);
  void failed(const std::string& name, const Code& code, const std::string& reason);

  struct Publication {
    std::string name;
    std::optional<std::string> description;
    std::string code_sha256;  // base64, as clients have it; empty: not asked
    std::string revision;
  };
  // The newest version where nothing has changed since it.
  Version publish(const Publication& wanted);

  [[nodiscard]] std::optional<std::int64_t> reserved(const std::string& name) const;
  void reserve(const std::string& name, std::optional<std::int64_t> count);

  // Does any version have it?
  [[nodiscard]] bool is_used(const std::string& sha256) const;

  [[nodiscard]] const fleet::Arns& arns() const { return arns_; }
  [[nodiscard]] std::string arn(const Version& version) const;

 private:
  [[nodiscard]] Version latest(store::Transaction& tx, const std::string& name,
                               const std::string& revision) const;
  void require(store::Transaction& tx, const std::string& name) const;

  store::Database& database_;
  const base::Clock& clock_;
  const fleet::Arns arns_;
};

// Of a row; for the rooms that read the same tables.
[[nodiscard]] base::Error function_not_found(const fleet::Arns& arns, const std::string& name,
                                             const std::string& qualifier = {});

}  // namespace andon::functions
