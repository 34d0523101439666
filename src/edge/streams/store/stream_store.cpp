// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/stream_store.hpp"

#include <unistd.h>

#include "base/log/log.hpp"
#include "base/os/sync_name.hpp"
#include "base/text/id.hpp"
#include "base/text/split.hpp"
#include "store/records/frame.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kDefinition = "definition";
constexpr std::string_view kPrefix = "stream-";
// Its definition is not written yet, or it is on its way off the disk.
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::size_t kMostDefinitionBytes = 1U << 20U;
constexpr std::size_t kMostRetired = 4096;

std::string boot_id() {
  const auto text = base::read_file_if_exists("/proc/sys/kernel/random/boot_id", 4096);
  return std::string(base::trim(text.value_or(""), " \n"));
}

std::int64_t half_of_memory() {
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 2;
}

StreamError disk_failure(const std::string& name, const base::Error& error) {
  return {StreamStatus::unknown_failure, "stream " + name + ": " + error.message()};
}

}  // namespace

StreamStore::StreamStore(fs::path root, Limits limits)
    : root_(std::move(root)), limits_(limits), boot_id_(boot_id()) {
  if (limits_.memory_bytes == 0) limits_.memory_bytes = half_of_memory();
  base::make_directories(root_, 0700);
  base::sync_name(root_);
  std::vector<fs::path> directories;
  for (const auto& entry : fs::directory_iterator(root_)) directories.push_back(entry.path());
  for (const fs::path& directory : directories) {
    if (!directory.filename().string().starts_with(kPrefix)) continue;
    if (directory.extension() == kUnfinished) {
      drop_directory(directory);
      continue;
    }
    try {
      load(directory);
    } catch (const std::exception& error) {  // the file system's, too
      base::log_error("a stream cannot be read and is left where it is",
                      {{"directory", directory.string()}, {"why", error.what()}});
    }
  }
}

void StreamStore::load(const fs::path& directory) {
  const std::string bytes = base::read_file(directory / kDefinition, kMostDefinitionBytes);
  const store::Frame frame = store::read_frame(bytes, kMostDefinitionBytes);
  if (frame.state != store::Frame::State::whole || frame.record.empty()) {
    throw base::Error(base::ErrorCode::data_corrupted, "its definition is damaged");
  }
  const CborDocument document(frame.record.substr(1));
  StreamDefinition definition = read_definition(document.root());
  const bool is_retired = frame.record.front() != 0;
  if (!is_retired && by_name_.contains(definition.name)) {
    throw base::Error(base::ErrorCode::data_corrupted, "another stream has its name");
  }
  const std::string name = definition.name;
  const MessageStream& stream = add(directory, std::move(definition));
  if (!is_retired) by_name_[name] = stream.id();
}

MessageStream& StreamStore::add(const fs::path& directory, StreamDefinition definition) {
  const std::uint64_t id = ++last_id_;
  auto stream = std::make_unique<MessageStream>(MessageStream::Place{id, directory, boot_id_},
                                                std::move(definition));
  return *(streams_[id] = std::move(stream));
}

void StreamStore::write_definition_file(const fs::path& directory,
                                        const StreamDefinition& definition, bool is_retired) {
  CborWriter writer;
  write_definition(writer, definition);
  std::string file;
  store::append_frame(file, (is_retired ? '\1' : '\0') + writer.result());
  base::write_file_atomically(directory / kDefinition, file, 0600);
}

void StreamStore::drop_directory(const fs::path& directory) const {
  std::error_code ignored;
  fs::remove_all(directory, ignored);
}

// A crash in the middle must not leave a stream without its definition, which nobody would remove.
void StreamStore::remove_directory(const fs::path& directory) const {
  const fs::path unfinished = directory.string() + std::string(kUnfinished);
  fs::rename(directory, unfinished);
  base::sync_directory(root_);
  drop_directory(unfinished);
}

MessageStream* StreamStore::find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : find(found->second);
}

MessageStream* StreamStore::find(std::uint64_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

MessageStream& StreamStore::get(std::string_view name) {
  MessageStream* const found = find(name);
  if (found == nullptr) {
    throw StreamError(StreamStatus::resource_not_found,
                      "there is no stream named '" + std::string(name) + "'");
  }
  return *found;
}

void StreamStore::check_memory(const StreamDefinition& definition) const {
  if (!definition.is_in_memory) return;
  std::int64_t left = limits_.memory_bytes - definition.max_size;
  for (const auto& [id, stream] : streams_) {
    const StreamDefinition& other = stream->definition();
    if (!other.is_in_memory || other.name == definition.name) continue;
    left = left < other.max_size ? -1 : left - other.max_size;
  }
  if (left < 0) {
    throw StreamError(StreamStatus::out_of_memory,
                      "streams in memory may have " + std::to_string(limits_.memory_bytes) +
                          " bytes together; choose a smaller maxSize, or persistence File");
  }
}

MessageStream& StreamStore::create(StreamDefinition definition) {
  const std::string name = definition.name;
  if (by_name_.contains(name)) {
    throw StreamError(StreamStatus::invalid_request, "stream '" + name + "' exists already");
  }
  if (by_name_.size() >= limits_.streams || streams_.size() >= kMostRetired) {
    throw StreamError(StreamStatus::invalid_request,
                      "there are as many streams as a device can have (" +
                          std::to_string(limits_.streams) + "); delete one first");
  }
  check_memory(definition);
  const fs::path directory = root_ / (std::string(kPrefix) + base::random_uuid());
  const fs::path unfinished = directory.string() + std::string(kUnfinished);
  try {
    base::make_directories(unfinished, 0700);
    write_definition_file(unfinished, definition, false);
    fs::rename(unfinished, directory);
    base::sync_directory(root_);
    MessageStream& stream = add(directory, std::move(definition));
    by_name_[name] = stream.id();
    return stream;
  } catch (const base::Error& error) {
    drop_directory(unfinished);
    drop_directory(directory);
    throw disk_failure(name, error);
  } catch (const fs::filesystem_error& error) {
    drop_directory(unfinished);
    throw StreamError(StreamStatus::unknown_failure, "stream " + name + ": " + error.what());
  }
}

void StreamStore::update(StreamDefinition definition) {
  MessageStream& stream = get(definition.name);
  const StreamDefinition& old = stream.definition();
  if (old == definition) return;
  if (old.is_in_memory != definition.is_in_memory) {
    throw StreamError(StreamStatus::update_not_allowed, "a stream's persistence cannot be changed");
  }
  const bool is_other_size = old.max_size != definition.max_size;
  const bool is_other_segment = old.segment_size != definition.segment_size;
  if (is_other_size && definition.max_size < stream.total_bytes()) {
    throw StreamError(StreamStatus::invalid_request,
                      "definition.maxSize must not be less than what the stream holds (" +
                          std::to_string(stream.total_bytes()) + " bytes)");
  }
  // One that was made smaller than its segments may grow all the same.
  const bool is_smaller = definition.max_size < old.max_size;
  if ((is_smaller || is_other_segment) && definition.max_size < definition.segment_size) {
    throw StreamError(StreamStatus::invalid_request,
                      "definition.maxSize must not be less than definition.streamSegmentSize");
  }
  check_memory(definition);
  try {
    write_definition_file(stream.directory(), definition, false);
  } catch (const base::Error& error) {
    throw disk_failure(definition.name, error);
  }
  stream.adopt(std::move(definition));
}

StreamStore::Removed StreamStore::remove(std::string_view name, bool stays) {
  MessageStream& stream = get(name);
  const std::uint64_t id = stream.id();
  const bool is_kept = stays && streams_.size() < kMostRetired;
  try {
    if (is_kept) {
      stream.flush();
      write_definition_file(stream.directory(), stream.definition(), true);
    } else {
      remove_directory(stream.directory());
    }
  } catch (const StreamError&) {
    throw;
  } catch (const base::Error& error) {
    throw disk_failure(std::string(name), error);
  } catch (const fs::filesystem_error& error) {
    throw StreamError(StreamStatus::unknown_failure, error.what());
  }
  by_name_.erase(by_name_.find(name));
  if (is_kept) return Removed::retired;
  streams_.erase(id);
  return Removed::gone;
}

void StreamStore::release(std::uint64_t id) {
  const MessageStream* const stream = find(id);
  if (stream == nullptr || !is_retired(id)) return;
  try {
    remove_directory(stream->directory());
  } catch (const std::exception& error) {  // the file system's, too
    base::log_error("a stream that was deleted stays on the disk until the next start",
                    {{"directory", stream->directory().string()}, {"why", error.what()}});
  }
  streams_.erase(id);
}

bool StreamStore::is_retired(std::uint64_t id) const {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return false;
  const auto named = by_name_.find(found->second->definition().name);
  return named == by_name_.end() || named->second != id;
}

std::vector<std::string> StreamStore::names() const {
  std::vector<std::string> names;
  names.reserve(by_name_.size());
  for (const auto& [name, id] : by_name_) names.push_back(name);
  return names;
}

void StreamStore::close() {
  for (const auto& [id, stream] : streams_) {
    try {
      stream->close();
    } catch (const base::Error& error) {
      base::log_error("a stream could not be closed", {{"why", error.message()}});
    }
  }
}

}  // namespace andon::edge
