// SPDX-License-Identifier: Apache-2.0
#include "inspect/journal/old_journal.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "trust/digests/digest.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

constexpr std::size_t kChecksumDigits = 16;

// The JSON text of a whole record, or nothing where it is damaged.
std::optional<std::string_view> checked(std::string_view line) {
  if (line.size() < kChecksumDigits + 2 || line[kChecksumDigits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(kChecksumDigits + 1);
  if (line.substr(0, kChecksumDigits) != trust::sha256_hex(text).substr(0, kChecksumDigits)) {
    return std::nullopt;
  }
  return text;
}

}  // namespace

void replace_old_journal(const fs::path& path, const store::RecordFile::Limits& limits) {
  std::error_code error;
  if (!fs::exists(path, error) || store::RecordFile::is_record_file(path)) return;
  std::ifstream lines(path, std::ios::binary);
  if (!lines) {
    throw Error(ErrorCode::unavailable, fmt::format("cannot open {}", path.string()));
  }
  std::uint64_t whole = 0;
  std::uint64_t damaged = 0;
  store::RecordFile::write(path, limits, [&](store::RecordFile::Writer& writer) {
    std::string line;
    // A last line without its newline was torn by a crash, and not acted on.
    while (std::getline(lines, line) && !lines.eof()) {
      const auto text = checked(line);
      ++(text ? whole : damaged);
      if (text) writer.add(*text);
    }
    if (lines.bad() || (whole == 0 && damaged > 0)) {
      throw Error(
          ErrorCode::data_corrupted,
          fmt::format("{} is not a journal of results; move it away to start anew", path.string()));
    }
  });
  base::log_info("the journal of results has its new form",
                 {{"file", path.string()}, {"records", whole}, {"damaged", damaged}});
}

}  // namespace andon::inspect
