// SPDX-License-Identifier: Apache-2.0
// What a client of streams sends: the frames are the same in whatever pieces they come, and each
// message is read or refused; a definition that was read reads the same again once it is written.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "edge/streams/exports/mqtt_export.hpp"
#include "edge/streams/exports/object_export.hpp"
#include "edge/streams/exports/s3_task.hpp"
#include "edge/streams/server/stream_frame.hpp"
#include "edge/streams/store/stream_definition.hpp"

namespace {

using namespace andon::edge;

using Events = std::vector<std::pair<int, std::string>>;

Events read(std::string_view bytes, std::size_t at_once) {
  const auto budget = std::make_shared<FrameBudget>(FrameBudget{4096});
  Events events;
  {
    StreamFrameReader reader({.frame_bytes = 2048, .free_bytes = 64}, budget);
    while (!bytes.empty()) {
      reader.feed(bytes.substr(0, at_once));
      bytes.remove_prefix(std::min(at_once, bytes.size()));
      while (const auto event = reader.next()) {
        events.emplace_back(static_cast<int>(event->kind), event->payload);
      }
    }
  }
  if (budget->bytes_left != 4096) std::abort();
  return events;
}

void read_message(std::string_view bytes) {
  try {
    const CborDocument document(bytes);
    const CborValue* const inner = document.root().find("definition");
    const StreamDefinition definition =
        read_definition(inner == nullptr ? document.root() : *inner);
    CborWriter writer;
    write_definition(writer, definition);
    const CborDocument again(writer.result());
    if (!(read_definition(again.root()) == definition)) std::abort();
    for (const ExportConfig& config : definition.exports) {
      const auto* http = std::get_if<HttpExportSettings>(&config.settings);
      if (http != nullptr && http->uri.starts_with("mqtt")) {
        static_cast<void>(read_mqtt_address(http->uri));
      }
      if (http != nullptr && http->uri.starts_with("s3+")) {
        static_cast<void>(read_object_address(http->uri));
      }
    }
  } catch (const andon::base::Error&) {
    // Refused.
  }
}

void read_task(std::string_view bytes) {
  try {
    static_cast<void>(resolve_key(read_s3_task(bytes).key, andon::base::Timestamp{}));
  } catch (const andon::base::Error&) {
    // Refused.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Events events = read(bytes, size + 1);
  for (const std::size_t at_once : {1U, 7U}) {
    if (read(bytes, at_once) != events) std::abort();
  }
  for (const auto& [kind, payload] : events) read_message(payload);
  read_message(bytes);
  read_task(bytes);
  return 0;
}
