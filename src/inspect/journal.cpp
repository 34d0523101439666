// SPDX-License-Identifier: Apache-2.0
// One record a line: 16 hexadecimal digits (the start of the SHA-256 of what follows the space), a
// space, a JSON object, a newline. Records:
//   {"seen": PATH, "bytes": N, "modified": NS}                                inspected
//   {"seen": PATH, "bytes": N, "modified": NS, "number": N, "message": TEXT}  and to be published
//   {"number": N, "message": TEXT}                    of a live camera, and to be published
//   {"published": NUMBER}                                                     done
// The frames of a video have "frame": N, the number of the frame, in the first two.
// PATH is percent-encoded: a file's name may be any bytes, JSON is UTF-8.
#include "inspect/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "trust/digest.hpp"

namespace andon::inspect {

namespace fs = base::fs;
namespace json = base::json;

namespace {

constexpr std::size_t kChecksumDigits = 16;
constexpr std::size_t kMaxJournalBytes = 1U << 30U;
constexpr std::uint64_t kCompactAfterBytes = 8U << 20U;

std::string checksum(std::string_view text) {
  return trust::sha256_hex(text).substr(0, kChecksumDigits);
}

std::string to_line(const json::object& record) {
  const std::string text = base::to_text(record);
  return fmt::format("{} {}\n", checksum(text), text);
}

json::object seen_record(const PictureId& picture) {
  json::object record{{"seen", base::percent_encode(picture.path, base::Slash::keep)},
                      {"bytes", picture.bytes},
                      {"modified", picture.modified_ns}};
  if (picture.frame) record.emplace("frame", *picture.frame);
  return record;
}

json::object pending_record(std::uint64_t number, const Journal::Pending& pending) {
  json::object record = pending.picture ? seen_record(*pending.picture) : json::object{};
  record.emplace("number", number);
  record.emplace("message", pending.message);
  return record;
}

// The JSON text of a whole record, or nothing where it is damaged.
std::optional<std::string_view> checked(std::string_view line) {
  if (line.size() < kChecksumDigits + 2 || line[kChecksumDigits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(kChecksumDigits + 1);
  if (line.substr(0, kChecksumDigits) != checksum(text)) return std::nullopt;
  return text;
}

// Forgetting a picture whose whole directory is missing would inspect it again when the directory
// is mounted again.
bool is_gone(const fs::path& path) {
  std::error_code error;
  return !fs::exists(path, error) && fs::exists(path.parent_path(), error);
}

}  // namespace

Journal::Journal(const fs::path& directory)
    : path_(directory / "results.journal"),
      lock_((base::make_directories(directory), directory / "lock")) {
  load();
  compact();
}

void Journal::load() {
  const std::string content = base::read_file_if_exists(path_, kMaxJournalBytes).value_or("");
  std::string_view rest = content;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const bool is_last = end == std::string_view::npos || end + 1 == rest.size();
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto text = end == std::string_view::npos ? std::nullopt : checked(line);
    if (!text) {
      // A crash may tear the last record, which was then not acted on; others it cannot.
      if (!is_last) {
        base::log_error("a record of the result journal is damaged and was left out",
                        {{"file", path_.string()}, {"record", line.substr(0, 100)}});
      }
      continue;
    }
    const json::value value = base::parse_json(*text, "a record of the result journal");
    const base::JsonReader record(value, path_.string());
    if (record.has("published")) {
      pending_.erase(static_cast<std::uint64_t>(record.integer("published")));
      continue;
    }
    std::optional<PictureId> picture;
    if (record.has("seen")) {
      picture = PictureId{base::percent_decode(record.string("seen")).value_or(""),
                          record.integer("bytes"), record.integer("modified"), std::nullopt};
      if (record.has("frame")) picture->frame = record.integer("frame");
      note(*picture);
    }
    if (!record.has("number")) continue;
    last_number_ = static_cast<std::uint64_t>(record.integer("number"));
    pending_[last_number_] = {picture, record.string("message")};
  }
  std::erase_if(seen_, [](const auto& entry) { return is_gone(entry.first); });
}

bool Journal::has(const PictureId& picture) const {
  const auto entry = seen_.find(picture.path);
  if (entry == seen_.end() || entry->second.bytes != picture.bytes ||
      entry->second.modified_ns != picture.modified_ns) {
    return false;
  }
  return !picture.frame || entry->second.frame >= picture.frame;
}

void Journal::note(const PictureId& picture) {
  seen_[picture.path] = {picture.bytes, picture.modified_ns, picture.frame};
}

std::uint64_t Journal::record(const std::optional<PictureId>& picture, std::string message) {
  const std::uint64_t number = last_number_ + 1;
  Pending pending{picture, std::move(message)};
  append(to_line(pending_record(number, pending)));
  if (fdatasync(file_.get()) != 0) {
    throw base::system_error(fmt::format("cannot write {} to the disk", path_.string()), errno);
  }
  last_number_ = number;
  if (picture) note(*picture);
  pending_.emplace(number, std::move(pending));
  return number;
}

void Journal::set_published(std::uint64_t number) {
  append(to_line({{"published", number}}));
  pending_.erase(number);
  if (file_bytes_ > 2 * compacted_bytes_ + kCompactAfterBytes) compact();
}

void Journal::append(const std::string& line) {
  try {
    base::write_all(file_.get(), line, path_);
  } catch (const base::Error&) {
    // Half a record in the middle of the file would hide the next one.
    if (ftruncate(file_.get(), static_cast<off_t>(file_bytes_)) != 0) {
      base::log_error("cannot take back half a journal record", {{"file", path_.string()}});
    }
    throw;
  }
  file_bytes_ += line.size();
}

void Journal::compact() {
  std::string content;
  for (const auto& [path, seen] : seen_) {
    content += to_line(seen_record({path, seen.bytes, seen.modified_ns, seen.frame}));
  }
  for (const auto& [number, pending] : pending_) {
    content += to_line(pending_record(number, pending));
  }
  base::write_file_atomically(path_, content);
  file_ = base::open_file(path_, O_WRONLY | O_APPEND);
  file_bytes_ = content.size();
  compacted_bytes_ = content.size();
}

}  // namespace andon::inspect
