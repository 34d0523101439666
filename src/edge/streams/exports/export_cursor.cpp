// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/export_cursor.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMostBytes = 4096;
constexpr std::size_t kNameDigits = 32;

}  // namespace

base::fs::path export_file(const base::fs::path& directory, const std::string& identifier,
                           const char* kind) {
  return directory / (trust::sha256_hex(identifier).substr(0, kNameDigits) + '.' + kind);
}

std::optional<ExportCursor> read_cursor(const base::fs::path& file) {
  try {
    const auto text = base::read_file_if_exists(file, kMostBytes);
    if (!text) return std::nullopt;
    const base::json::value value = base::parse_json(*text, "cursor");
    const base::JsonReader reader(value, file.string());
    return ExportCursor{reader.integer("next"), reader.integer("start"), reader.integer("bytes"),
                        reader.integer("messages"), reader.integer("lastAttemptMs")};
  } catch (const base::Error& error) {
    base::log_error("the state of an export cannot be read; it begins anew",
                    {{"file", file.string()}, {"why", error.message()}});
    return std::nullopt;
  }
}

void write_cursor(const base::fs::path& file, const ExportCursor& cursor) {
  base::write_file_atomically(
      file,
      base::to_text(base::json::object{{"next", cursor.next},
                                       {"start", cursor.start},
                                       {"bytes", cursor.bytes},
                                       {"messages", cursor.messages},
                                       {"lastAttemptMs", cursor.last_attempt_ms}}),
      0600);
}

}  // namespace andon::edge
