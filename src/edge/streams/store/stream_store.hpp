// SPDX-License-Identifier: Apache-2.0
// All streams of a device below one directory, a directory each:
//   definition   the definition as CBOR in a frame; File and Memory alike
//   mark, *.segment                                    (message_stream.hpp)
//   *.cursor, *.upload                                 (streams/exports)
// A stream that was deleted while tasks of it wait is retired: it has no name any more, and what
// reads of it goes on until release(). Belongs to one thread, which waits for the disk; after a
// crash each creation, update and deletion has happened whole or not at all.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/streams/store/message_stream.hpp"

namespace andon::edge {

class StreamStore {
 public:
  struct Limits {
    std::size_t streams = 1024;
    std::int64_t memory_bytes = 0;  // of all streams in memory; 0: half of the machine's
  };

  // Makes the directory. What of it cannot be read is logged and left where it is.
  StreamStore(fs::path root, Limits limits);

  // Null where there is none.
  [[nodiscard]] MessageStream* find(std::string_view name);
  [[nodiscard]] MessageStream* find(std::uint64_t id);
  // Throws StreamError(resource_not_found).
  [[nodiscard]] MessageStream& get(std::string_view name);

  // All throw StreamError. `stays` says whether tasks of a deleted stream wait.
  MessageStream& create(StreamDefinition definition);
  void update(StreamDefinition definition);
  enum class Removed { gone, retired };
  Removed remove(std::string_view name, bool stays);
  // The end of a retired one.
  void release(std::uint64_t id);

  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::map<std::uint64_t, std::unique_ptr<MessageStream>>& all() const {
    return streams_;
  }
  [[nodiscard]] bool is_retired(std::uint64_t id) const;

  void close();

 private:
  void load(const fs::path& directory);
  void check_memory(const StreamDefinition& definition) const;
  MessageStream& add(const fs::path& directory, StreamDefinition definition);
  static void write_definition_file(const fs::path& directory, const StreamDefinition& definition,
                                    bool is_retired);
  void drop_directory(const fs::path& directory) const;
  void remove_directory(const fs::path& directory) const;

  fs::path root_;
  Limits limits_;
  std::string boot_id_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<MessageStream>> streams_;
  std::map<std::string, std::uint64_t, std::less<>> by_name_;
};

}  // namespace andon::edge
