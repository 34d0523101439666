// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit_anchor.hpp"

#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBytes = 4096;
constexpr unsigned kPrivateFile = 0600;

}  // namespace

std::optional<AuditHead> read_audit_anchor(const base::fs::path& file, std::string_view key) {
  const auto text = base::read_file_if_exists(file, kMostBytes);
  if (!text) return std::nullopt;
  try {
    const base::json::value document = base::parse_json(*text, "anchor");
    const base::JsonReader reader(document, "anchor");
    AuditHead head{.first_sequence = reader.integer("firstSequence"),
                   .hash_before = reader.string("hashBefore"),
                   .last_sequence = reader.integer("lastSequence"),
                   .last_hash = reader.string("lastHash"),
                   .bytes = reader.integer("bytes")};
    if (trust::equal_in_constant_time(sign_head(head, key), reader.string("signature"))) {
      return head;
    }
  } catch (const Error& error) {
    throw Error(ErrorCode::data_corrupted, "'" + file.string() + "': " + error.message());
  }
  throw Error(ErrorCode::data_corrupted,
              "'" + file.string() +
                  "' was not signed by this server: it was changed, or credentials/audit.key was; "
                  "restore a backup");
}

void write_audit_anchor(const base::fs::path& file, const AuditHead& head, std::string_view key) {
  base::write_file_atomically(file,
                              base::to_pretty_text({{"firstSequence", head.first_sequence},
                                                    {"hashBefore", head.hash_before},
                                                    {"lastSequence", head.last_sequence},
                                                    {"lastHash", head.last_hash},
                                                    {"bytes", head.bytes},
                                                    {"signature", sign_head(head, key)}}),
                              kPrivateFile);
}

}  // namespace andon::control
