// SPDX-License-Identifier: Apache-2.0
// Room: parameters. What programs of a plant are set up with: parameters in a hierarchy, as AWS's
// Parameter Store has them, and secrets in versions and stages, as Secrets Manager has them. Every
// value, also of a plain String, lies sealed in the database with the server's one key
// (trust/keys/seal.hpp), and no error of this room holds one.
//
// Parameters: names, versions (the last 100), labels, tags. Any thread; each call is one
// transaction, durable when it returns. Errors are base::Error, and NamedRefusal where AWS has a
// name of its own.
#pragma once

#include <functional>
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

class Parameters {
 public:
  static constexpr std::int64_t kMost = 10'000;
  static constexpr std::int64_t kMostVersions = 100;  // of one; the oldest goes
  static constexpr std::size_t kStandardBytes = 4096;
  static constexpr std::size_t kAdvancedBytes = 8192;
  static constexpr std::size_t kMostLabels = 10;  // of a version

  // The schema is brought up to date. `database`, `key` and `clock` outlive this.
  Parameters(store::Database& database, const trust::SealingKey& key, const base::Clock& clock,
             Arns arns);

  PutParameterOutcome put(const NewParameter& parameter);
  // `reference`: "name", "name:version", "name:label", with an ARN in the name's place. Throws
  // ParameterNotFound, ParameterVersionNotFound.
  [[nodiscard]] Parameter get(const std::string& reference, Reveal reveal) const;
  // Nothing where there is no such parameter, version or label.
  [[nodiscard]] std::optional<Parameter> find(const std::string& reference, Reveal reveal) const;

  enum class Depth : std::uint8_t { one_level, recursive };
  // Filters by type, key_id and label; by a label: the version that has it. A page may have fewer
  // items than its limit, even none, and a next one.
  [[nodiscard]] Page<Parameter> below(const std::string& path, Depth depth,
                                      const std::vector<ParameterFilter>& filters,
                                      const PageRequest& page, Reveal reveal) const;
  // Without values; pages as of below().
  [[nodiscard]] Page<Parameter> describe(const std::vector<ParameterFilter>& filters,
                                         const PageRequest& page) const;
  // Oldest first, with labels.
  [[nodiscard]] Page<Parameter> history(const std::string& name, const PageRequest& page,
                                        Reveal reveal) const;

  // Of the latest version, where none is given.
  LabelOutcome label(const std::string& name, std::optional<std::int64_t> version,
                     const std::vector<std::string>& labels);
  LabelOutcome unlabel(const std::string& name, std::int64_t version,
                       const std::vector<std::string>& labels);

  // Whether there was one.
  bool remove(const std::string& name);

  void tag(const std::string& name, const TagMap& tags);
  void untag(const std::string& name, const std::vector<std::string>& keys);
  [[nodiscard]] TagMap tags(const std::string& name) const;

  [[nodiscard]] std::int64_t count() const;

 private:
  struct Head {
    std::int64_t id = 0;
    std::string key;
    std::string name;
    std::int64_t version = 0;
  };
  struct Found {
    enum class Missing : std::uint8_t { nothing, parameter, version, label };
    Missing missing = Missing::nothing;
    std::optional<Parameter> parameter;
  };
  // Of the latest version, without its value: what is to be listed for it.
  using Take =
      std::function<std::optional<Parameter>(store::Transaction&, const Head&, const Parameter&)>;
  struct Range;

  static std::optional<Head> find_head(store::Transaction& tx, const std::string& key);
  // By its name, without a version or label.
  static Head require(store::Transaction& tx, const std::string& name);
  static void require_version(store::Transaction& tx, const Head& head, std::int64_t version);
  static Head make_head(store::Transaction& tx, const Arns& arns, const NewParameter& wanted);
  static void forget_oldest(store::Transaction& tx, const Head& head);
  [[nodiscard]] std::string arn_of(const std::string& name) const;
  [[nodiscard]] Found look_up(const std::string& reference, Reveal reveal) const;
  [[nodiscard]] std::optional<Parameter> version_of(store::Transaction& tx, const Head& head,
                                                    std::int64_t version, Reveal reveal) const;
  [[nodiscard]] Page<Parameter> scan(const Range& range, const PageRequest& page,
                                     const Take& take) const;
  [[nodiscard]] bool matches(store::Transaction& tx, const Head& head, const Parameter& parameter,
                             const ParameterFilter& filter) const;

  store::Database& database_;
  const trust::SealingKey& key_;
  const base::Clock& clock_;
  const Arns arns_;
};

}  // namespace andon::control
