// SPDX-License-Identifier: Apache-2.0
// Secrets: names that lead to values in versions, of which stages ("AWSCURRENT", "AWSPREVIOUS", own
// ones) say which is meant. A version's content never changes; a request that comes again with its
// token changes nothing. A secret that is removed can be restored until its recovery window is
// over; then the housekeeping purges it. A secret is named by its name, its ARN, or its ARN without
// the six letters. Any thread; each call is durable when it returns. Errors are base::Error and
// NamedRefusal, in AWS's words, and hold no value.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/parameters/types.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/seal.hpp"

namespace andon::control {

class Secrets {
 public:
  static constexpr std::int64_t kMost = 10'000;
  static constexpr std::int64_t kMostVersions = 100;  // of one; those without a stage go
  static constexpr std::size_t kMostStages = 20;      // of one
  static constexpr std::size_t kMostBytes = 65'536;   // of a value

  // The schema is brought up to date. `database`, `key` and `clock` outlive this.
  Secrets(store::Database& database, const trust::SealingKey& key, const base::Clock& clock,
          Arns arns);

  SecretChange create(const NewSecret& secret);
  // A new version; with AWSCURRENT where no stages are given.
  SecretChange put(const std::string& id, const SecretValue& value, const std::string& token,
                   const std::vector<std::string>& stages);
  SecretChange update(const std::string& id, const SecretUpdate& update);
  // By version, by stage, by both where they are the same; by AWSCURRENT where neither is given.
  SecretContent get(const std::string& id, const std::optional<std::string>& version_id,
                    const std::optional<std::string>& stage);
  [[nodiscard]] Secret describe(const std::string& id) const;
  // A page may have fewer items than its limit, even none, and a next one.
  [[nodiscard]] Page<Secret> list(const SecretQuery& query, const PageRequest& page) const;

  struct Versions {
    std::string arn;
    std::string name;
    Page<SecretVersion> page;  // newest first
  };
  enum class Which : std::uint8_t { staged, all };
  [[nodiscard]] Versions versions(const std::string& id, Which which,
                                  const PageRequest& page) const;
  SecretChange move_stage(const std::string& id, const std::string& stage,
                          const std::optional<std::string>& from,
                          const std::optional<std::string>& to);

  struct Removal {
    std::string arn;  // empty: there was no such secret
    std::string name;
    base::Timestamp when;
  };
  Removal remove(const std::string& id, std::chrono::days recovery);
  Removal remove_now(const std::string& id);
  SecretChange restore(const std::string& id);
  // Removes secrets whose time is over, a bounded number of them; answers how many.
  std::int64_t purge(std::int64_t limit);

  void tag(const std::string& id, const TagMap& tags);
  void untag(const std::string& id, const std::vector<std::string>& keys);

  // Of the secret that `id` means, for decisions about who may.
  [[nodiscard]] std::optional<std::string> arn_of(const std::string& id) const;
  [[nodiscard]] std::int64_t count() const;

 private:
  enum class State : std::uint8_t { any, not_deleted };
  static std::optional<Secret> find(store::Transaction& tx, const Arns& arns,
                                    const std::string& id);
  [[nodiscard]] Secret require(store::Transaction& tx, const std::string& id, State state) const;
  // Adds a version, or finds that it is there with this content.
  void add_version(store::Transaction& tx, const Secret& secret, const SecretValue& value,
                   const std::string& token, std::vector<std::string> stages) const;
  [[nodiscard]] SecretValue content_of(store::Transaction& tx, const Secret& secret,
                                       const std::string& version_id) const;
  void note_access(const Secret& secret, const SecretVersion& version);
  static void erase(store::Transaction& tx, const Secret& secret);

  store::Database& database_;
  const trust::SealingKey& key_;
  const base::Clock& clock_;
  const Arns arns_;
};

}  // namespace andon::control
