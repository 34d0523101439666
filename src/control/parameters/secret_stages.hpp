// SPDX-License-Identifier: Apache-2.0
// Versions of a secret and the stages that name them; internal to this room. Within the caller's
// transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/parameters/types.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// The stages of each version that has any.
[[nodiscard]] std::map<std::string, std::vector<std::string>> stages_of(store::Transaction& tx,
                                                                        std::int64_t secret);
[[nodiscard]] std::optional<std::string> version_at(store::Transaction& tx, std::int64_t secret,
                                                    const std::string& stage);
// Moves the stage from the version that has it; where it is AWSCURRENT, that one becomes
// AWSPREVIOUS. Throws LimitExceededException where the secret has too many.
void attach_stage(store::Transaction& tx, std::int64_t secret, const std::string& stage,
                  const std::string& version_id);
// The oldest versions without a stage, beyond the most that are kept.
void forget_versions(store::Transaction& tx, std::int64_t secret);

inline constexpr std::string_view kSecretVersionColumns =
    "version_id, kind, created_ms, accessed_ms";
[[nodiscard]] SecretVersion secret_version_row(store::Transaction& tx, std::int64_t secret,
                                               const store::Row& row);
[[nodiscard]] std::optional<SecretVersion> find_version(store::Transaction& tx, std::int64_t secret,
                                                        const std::string& version_id);

}  // namespace andon::control
