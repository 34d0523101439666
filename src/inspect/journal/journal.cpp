// SPDX-License-Identifier: Apache-2.0
// Records, as JSON:
//   {"seen": PATH, "bytes": N, "modified": NS}                                inspected
//   {"seen": PATH, "bytes": N, "modified": NS, "number": N, "message": TEXT}  and to be published
//   {"number": N, "message": TEXT}                    of a live camera, and to be published
//   {"published": NUMBER}                                                     done
// The first two also have "status": N, and where they are known "content": N and "model": TEXT, the
// start of its SHA-256; the frames of a video have "frame": N, the number of the frame.
// PATH is percent-encoded: a file's name may be any bytes, JSON is UTF-8.
#include "inspect/journal/journal.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "inspect/journal/old_journal.hpp"

namespace andon::inspect {

namespace fs = base::fs;
namespace json = base::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr store::RecordFile::Limits kRecordLimits{};
// How long it may look for files that are gone. On a network's disk each look takes long; who is
// not looked for now is looked for the next time.
constexpr milliseconds kPatienceAtStart{5'000};
constexpr milliseconds kPatienceWhileRunning{100};

// Of a model's digest: enough to tell models, and short, since there may be a million records.
constexpr std::size_t kModelDigits = 16;

json::object seen_record(const PictureId& picture, const Look& look) {
  json::object record{{"seen", base::percent_encode(picture.path, base::Slash::keep)},
                      {"bytes", picture.bytes},
                      {"modified", picture.modified_ns}};
  if (picture.frame) record.emplace("frame", *picture.frame);
  if (picture.status != 0) record.emplace("status", picture.status);
  if (look.content != 0) record.emplace("content", look.content);
  if (!look.model.empty()) record.emplace("model", look.model);
  return record;
}

std::string pending_record(std::uint64_t number, const Journal::Pending& pending) {
  json::object record =
      pending.picture ? seen_record(*pending.picture, pending.look) : json::object{};
  record.emplace("number", number);
  record.emplace("message", pending.message);
  return base::to_text(record);
}

std::uint32_t short_number(const base::JsonReader& record, std::string_view member) {
  return record.has(member) ? static_cast<std::uint32_t>(record.integer(member)) : 0;
}

std::optional<PictureId> picture_in(const base::JsonReader& record) {
  if (!record.has("seen")) return std::nullopt;
  PictureId picture{.path = base::percent_decode(record.string("seen")).value_or(""),
                    .bytes = record.integer("bytes"),
                    .modified_ns = record.integer("modified"),
                    .status = short_number(record, "status")};
  if (record.has("frame")) picture.frame = record.integer("frame");
  return picture;
}

Look look_in(const base::JsonReader& record) {
  return {short_number(record, "content"), record.has("model") ? record.string("model") : ""};
}

// Forgetting a picture whose whole directory is missing would inspect it again when the directory
// is mounted again.
bool is_gone(const fs::path& path) {
  std::error_code error;
  return !fs::exists(path, error) && fs::exists(path.parent_path(), error);
}

}  // namespace

Journal::Journal(const fs::path& directory, const JournalLimits& limits, std::string model)
    : limits_(limits),
      model_(model.substr(0, kModelDigits)),
      models_({model_}),
      path_(directory / "results.journal"),
      lock_((base::make_directories(directory), directory / "lock")),
      seen_(limits.generation),
      records_(open()) {
  compact(kPatienceAtStart);
}

store::RecordFile Journal::open() {
  replace_old_journal(path_, kRecordLimits);
  return {path_, kRecordLimits, [this](std::string_view text) { load(text); }};
}

void Journal::load(std::string_view text) {
  const json::value value = base::parse_json(text, "a record of the result journal");
  const base::JsonReader record(value, path_.string());
  if (record.has("published")) {
    pending_.erase(static_cast<std::uint64_t>(record.integer("published")));
    return;
  }
  const std::optional<PictureId> picture = picture_in(record);
  Look look = look_in(record);
  if (picture && counts(look)) seen_.note(SeenPictures::key(*picture), look.content);
  if (!record.has("number")) return;
  last_number_ = static_cast<std::uint64_t>(record.integer("number"));
  pending_[last_number_] = {picture, std::move(look), record.string("message")};
}

// A record of an earlier version does not say which model looked: any.
bool Journal::counts(const Look& look) const {
  return model_.empty() || look.model.empty() ||
         std::ranges::find(models_, look.model) != models_.end();
}

// Of the models that looked since the start all results count, so that one that takes over does not
// begin anew.
void Journal::count(const Look& look) {
  constexpr std::size_t kMostModels = 64;
  if (counts(look)) return;
  if (models_.size() == kMostModels) models_.erase(models_.begin() + 1);
  models_.push_back(look.model);
}

std::uint64_t Journal::record(const std::optional<PictureId>& picture, std::string message,
                              Look look) {
  look.model.resize(std::min(look.model.size(), kModelDigits));
  const std::uint64_t number = last_number_ + 1;
  Pending pending{picture, std::move(look), std::move(message)};
  records_.append_synced(pending_record(number, pending));
  last_number_ = number;
  count(pending.look);
  if (picture) seen_.note(SeenPictures::key(*picture), pending.look.content);
  pending_.emplace(number, std::move(pending));
  return number;
}

bool Journal::recognise(const PictureId& picture, std::uint32_t content) {
  const SeenPictures::Key key = SeenPictures::key(picture);
  if (!seen_.has_content(key, content)) return false;
  // Need not last: it is recognised again. That its result is of this model was seen to.
  records_.append(base::to_text(seen_record(picture, {content, model_})));
  seen_.note(key, content);
  compact_if_large();
  return true;
}

void Journal::set_published(std::uint64_t number) {
  records_.append(base::to_text(json::object{{"published", number}}));
  pending_.erase(number);
  compact_if_large();
}

void Journal::compact_if_large() {
  if (records_.bytes() <= compact_at_bytes_) return;
  try {
    compact(kPatienceWhileRunning);
  } catch (const base::Error& error) {
    // The result is published all the same; perhaps there is room for two journals later.
    compact_at_bytes_ = records_.bytes() + limits_.growth_bytes;
    base::log_error("the journal of results cannot be made smaller",
                    {{"file", path_.string()}, {"error", error.message()}});
  }
}

void Journal::compact(milliseconds patience) {
  rewrite(patience);
  // Only where names are very long; the second time nothing is left but what is pending.
  for (int i = 0; i < 2 && records_.bytes() > limits_.file_bytes / 2; ++i) {
    base::log_warning("the journal of results forgets its oldest pictures to keep to its size",
                      {{"file", path_.string()}, {"limit_bytes", limits_.file_bytes}});
    seen_.forget_older();
    rewrite(milliseconds{0});
  }
  const std::uint64_t bytes = records_.bytes();
  compact_at_bytes_ = std::min(2 * bytes + limits_.growth_bytes,
                               std::max(bytes + limits_.growth_bytes, limits_.file_bytes));
}

void Journal::rewrite(milliseconds patience) {
  SeenPictures kept(limits_.generation);
  const auto give_up = steady_clock::now() + patience;
  records_.rewrite([&](store::RecordFile::Writer& writer) {
    records_.read([&](std::string_view text) {
      const json::value value = base::parse_json(text, "a record of the result journal");
      const base::JsonReader record(value, path_.string());
      const auto picture = picture_in(record);
      if (!picture) return;
      const SeenPictures::Key key = SeenPictures::key(*picture);
      if (!seen_.is_latest(key) || kept.is_latest(key)) return;
      const Look look = look_in(record);
      if (!counts(look)) return;
      if (steady_clock::now() < give_up && is_gone(picture->path)) return;
      kept.note(key, look.content);
      // A record without a message stays as it is: most are such, and there may be a million.
      writer.add(record.has("message") ? base::to_text(seen_record(*picture, look))
                                       : std::string(text));
    });
    for (const auto& [number, pending] : pending_) writer.add(pending_record(number, pending));
  });
  has_forgotten_ = has_forgotten();
  seen_ = std::move(kept);
}

}  // namespace andon::inspect
