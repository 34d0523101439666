// SPDX-License-Identifier: Apache-2.0
// The head of the audit log, signed, in a small file beside the database. Any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/os/file.hpp"
#include "control/audit/audit_chain.hpp"

namespace andon::control {

// Nothing where there is none. Throws data_corrupted for one that was not signed with this key.
[[nodiscard]] std::optional<AuditHead> read_audit_anchor(const base::fs::path& file,
                                                         std::string_view key);
void write_audit_anchor(const base::fs::path& file, const AuditHead& head, std::string_view key);

}  // namespace andon::control
