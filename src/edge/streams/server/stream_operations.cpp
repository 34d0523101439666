// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_operations.hpp"

#include <algorithm>

#include "base/log/log.hpp"
#include "base/os/blocking.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using Kind = CborValue::Kind;

constexpr std::size_t kMostReads = 4096;
constexpr std::size_t kMostReplyBytes = 15U << 20U;
constexpr std::int64_t kMostCount = 2'147'483'647;
constexpr std::int64_t kMostTimeoutMs = 9'223'372'036'854;
// Clients give a request up after 60 s, and some do not survive an answer that comes later.
constexpr std::int64_t kLongestWaitMs = 55'000;
constexpr milliseconds kExpiryCadence{15'000};

CborWriter begin_reply(std::size_t more, const std::string& request_id, StreamStatus status,
                       std::string_view message) {
  CborWriter writer;
  writer.map(3 + more).text("requestId").text(request_id);
  writer.text("status").integer(static_cast<int>(status));
  writer.text("errorMessage").text(message);
  return writer;
}

StreamReply reply_of(StreamOperation operation, CborWriter writer) {
  return {StreamOperations::response_of(static_cast<int>(operation)), writer.take()};
}

StreamReply success(StreamOperation operation, const std::string& request_id) {
  return reply_of(operation, begin_reply(0, request_id, StreamStatus::success, ""));
}

StreamReply appended_reply(const std::string& request_id, std::int64_t sequence) {
  CborWriter writer = begin_reply(1, request_id, StreamStatus::success, "");
  writer.text("sequenceNumber").integer(sequence);
  return reply_of(StreamOperation::append, std::move(writer));
}

std::string_view name_of(const CborReader& reader, std::string_view key) {
  static_cast<void>(reader.name(key));
  return reader.find(key, Kind::text)->text;
}

void write_message(CborWriter& writer, const std::string& stream, const StreamMessage& message) {
  writer.map(4).text("streamName").text(stream);
  writer.text("sequenceNumber").integer(message.sequence);
  writer.text("ingestTime").integer(message.ingest_ms);
  writer.text("payload").bytes(message.payload);
}

const CborValue& definition_of(const CborReader& reader) {
  const CborValue* const found = reader.find("definition", Kind::map);
  if (found == nullptr) reader.fail("definition", "is missing");
  return *found;
}

}  // namespace

StreamOperations::StreamOperations(Parts parts) : parts_(parts) {
  expire();
}

StreamOperations::~StreamOperations() {
  *alive_ = false;
  parts_.loop.cancel(expiry_);
  for (const auto& [stream, read] : reads_) parts_.loop.cancel(read->timer);
}

int StreamOperations::response_of(int operation) {
  switch (static_cast<StreamOperation>(operation)) {
    case StreamOperation::connect:
      return static_cast<int>(StreamOperation::connect_response);
    case StreamOperation::create:
    case StreamOperation::remove:
    case StreamOperation::append:
    case StreamOperation::read:
      return operation + 5;
    case StreamOperation::list:
    case StreamOperation::describe:
    case StreamOperation::update:
      return operation + 1;
    default:
      return static_cast<int>(StreamOperation::unknown_operation_error);
  }
}

StreamReply StreamOperations::failure(int operation, const std::string& request_id,
                                      StreamStatus status, std::string_view message) {
  return {response_of(operation), begin_reply(0, request_id, status, message).take()};
}

std::int64_t StreamOperations::now_ms() const {
  return base::to_epoch_millis(parts_.clock.now());
}

void StreamOperations::take(int operation, const std::string& request_id, const CborValue& request,
                            bool knows_update, StreamRespond respond) {
  const bool is_update = operation == static_cast<int>(StreamOperation::update);
  const int response = response_of(operation);
  if (response == static_cast<int>(StreamOperation::unknown_operation_error) ||
      (is_update && !knows_update)) {
    return respond({static_cast<int>(StreamOperation::unknown_operation_error),
                    begin_reply(0, request_id, StreamStatus::unknown_operation,
                                "operation " + std::to_string(operation) + " is not known")
                        .take()});
  }
  try {
    switch (static_cast<StreamOperation>(operation)) {
      case StreamOperation::append:
        return append(request_id, request, respond);
      case StreamOperation::read:
        return read(request_id, request, respond);
      default:
        return respond(answer(operation, request_id, request));
    }
  } catch (const StreamError& error) {
    respond(failure(operation, request_id, error.status(), error.message()));
  } catch (const base::Error& error) {
    respond(failure(operation, request_id, StreamStatus::unknown_failure, error.message()));
  }
}

StreamReply StreamOperations::answer(int operation, const std::string& request_id,
                                     const CborValue& request) {
  const auto which = static_cast<StreamOperation>(operation);
  const CborReader reader(request, "");
  switch (which) {
    case StreamOperation::create: {
      StreamDefinition definition = read_definition(definition_of(reader));
      parts_.exporter.check(definition, nullptr);
      parts_.exporter.take(parts_.store.create(std::move(definition)));
      break;
    }
    case StreamOperation::update: {
      StreamDefinition definition = read_definition(definition_of(reader));
      MessageStream& stream = parts_.store.get(definition.name);
      parts_.exporter.check(definition, &stream);
      parts_.store.update(std::move(definition));
      parts_.exporter.take(stream);
      break;
    }
    case StreamOperation::remove:
      remove(name_of(reader, "name"));
      break;
    case StreamOperation::describe:
      return describe(request_id, parts_.store.get(name_of(reader, "name")));
    case StreamOperation::list: {
      const std::vector<std::string> names = parts_.store.names();
      CborWriter writer = begin_reply(1, request_id, StreamStatus::success, "");
      writer.text("streams").array(names.size());
      for (const std::string& name : names) writer.text(name);
      return reply_of(which, std::move(writer));
    }
    default:  // Connect again
      throw StreamError(StreamStatus::unexpected_operation, "the client is connected already");
  }
  return success(which, request_id);
}

void StreamOperations::remove(std::string_view name) {
  commit();  // what was appended before is acknowledged before
  MessageStream& stream = parts_.store.get(name);
  const std::uint64_t id = stream.id();
  const StreamStore::Removed how = parts_.store.remove(name, parts_.exporter.has_tasks(stream));
  parts_.exporter.removed(id, how);
  const auto [first, last] = reads_.equal_range(id);
  std::vector<std::shared_ptr<Read>> waiting;
  for (auto read = first; read != last; ++read) waiting.push_back(read->second);
  for (const auto& read : waiting) {
    read->respond(failure(static_cast<int>(StreamOperation::read), read->request_id,
                          StreamStatus::resource_not_found, "the stream was deleted"));
    end_read(read);
  }
}

void StreamOperations::append(const std::string& request_id, const CborValue& request,
                              StreamRespond respond) {
  const CborReader reader(request, "");
  const CborValue* const name = reader.find("name", Kind::text);
  if (name == nullptr) reader.fail("name", "is missing");
  const CborValue* const payload = reader.find("payload", Kind::bytes);
  if (payload == nullptr || payload->text.empty()) {
    reader.fail("payload", "must have at least one byte");
  }
  MessageStream& stream = parts_.store.get(name->text);
  const std::int64_t sequence = stream.append(payload->text, now_ms());
  parts_.exporter.appended(stream);
  if (!stream.definition().flush_on_write) {
    respond(appended_reply(request_id, sequence));
  } else {
    if (unflushed_.empty()) {
      parts_.loop.post([this, alive = alive_] {
        if (*alive) commit();
      });
    }
    unflushed_[stream.id()].push_back({request_id, sequence, std::move(respond)});
  }
  appended(stream);
}

void StreamOperations::commit() {
  const base::BlockingAllowed allowed;
  for (auto& [id, appends] : std::exchange(unflushed_, {})) {
    MessageStream* const stream = parts_.store.find(id);
    std::string problem = stream == nullptr ? "the stream was deleted" : "";
    try {
      if (stream != nullptr) stream->flush();
    } catch (const base::Error& error) {
      problem = error.message();
    }
    for (const Append& one : appends) {
      one.respond(problem.empty()
                      ? appended_reply(one.request_id, one.sequence)
                      : failure(static_cast<int>(StreamOperation::append), one.request_id,
                                StreamStatus::unknown_failure, problem));
    }
  }
}

void StreamOperations::read(const std::string& request_id, const CborValue& request,
                            StreamRespond respond) {
  const CborReader reader(request, "");
  Read read;
  read.request_id = request_id;
  read.stream = parts_.store.get(name_of(reader, "streamName")).id();
  std::int64_t timeout_ms = 0;
  if (const CborValue* given = reader.find("readMessagesOptions", Kind::map)) {
    const CborReader options(*given, "readMessagesOptions");
    read.from = options.integer("desiredStartSequenceNumber", 0, INT64_MAX).value_or(0);
    read.least = options.integer("minMessageCount", 1, kMostCount).value_or(1);
    read.most = options.integer("maxMessageCount", 1, kMostCount).value_or(read.least);
    timeout_ms = options.integer("readTimeoutMillis", 0, kMostTimeoutMs).value_or(0);
    if (read.most < read.least) {
      options.fail("maxMessageCount", "must not be less than minMessageCount");
    }
  }
  read.respond = std::move(respond);
  if (try_read(read)) return;
  const auto waiting = std::make_shared<Read>(std::move(read));
  const std::int64_t wait_ms =
      std::min(timeout_ms - std::min<std::int64_t>(200, timeout_ms / 10), kLongestWaitMs);
  const auto time_is_up = [waiting] {
    waiting->respond(failure(static_cast<int>(StreamOperation::read), waiting->request_id,
                             StreamStatus::not_enough_messages,
                             "fewer than " + std::to_string(waiting->least) +
                                 " messages are there from " + std::to_string(waiting->from)));
  };
  if (wait_ms <= 0 || reads_.size() >= kMostReads) return time_is_up();
  reads_.emplace(waiting->stream, waiting);
  waiting->timer = parts_.loop.after(milliseconds(wait_ms), [this, waiting, time_is_up] {
    waiting->timer = 0;
    end_read(waiting);
    time_is_up();
  });
}

bool StreamOperations::try_read(const Read& read) {
  const int operation = static_cast<int>(StreamOperation::read);
  MessageStream* const stream = parts_.store.find(read.stream);
  if (stream == nullptr) {
    read.respond(failure(operation, read.request_id, StreamStatus::resource_not_found,
                         "the stream was deleted"));
    return true;
  }
  const std::int64_t from = std::max(read.from, stream->oldest());
  if (from > stream->newest() || stream->next() - from < read.least) return false;
  try {
    const auto messages = stream->read(from, static_cast<std::size_t>(read.most), kMostReplyBytes);
    if (messages.empty()) return false;
    std::size_t bytes = 0;
    for (const StreamMessage& message : messages) bytes += message.payload.size();
    const bool is_less = std::ssize(messages) < read.least;
    // Where a message behind them is damaged, more will not come.
    if (is_less && bytes > kMostReplyBytes / 2) {
      throw StreamError(
          StreamStatus::response_payload_too_large,
          std::to_string(read.least) + " messages are more than an answer can hold; ask for fewer");
    }
    CborWriter writer = begin_reply(1, read.request_id, StreamStatus::success, "");
    writer.text("messages").array(messages.size());
    for (const StreamMessage& message : messages) {
      write_message(writer, stream->definition().name, message);
    }
    read.respond(reply_of(StreamOperation::read, std::move(writer)));
  } catch (const StreamError& error) {
    read.respond(failure(operation, read.request_id, error.status(), error.message()));
  } catch (const base::Error& error) {
    read.respond(failure(operation, read.request_id, StreamStatus::message_store_read_error,
                         error.message()));
  }
  return true;
}

void StreamOperations::end_read(const std::shared_ptr<Read>& read) {
  parts_.loop.cancel(std::exchange(read->timer, 0));
  const auto [first, last] = reads_.equal_range(read->stream);
  const auto found =
      std::find_if(first, last, [&](const auto& entry) { return entry.second == read; });
  if (found != last) reads_.erase(found);
}

void StreamOperations::appended(MessageStream& stream) {
  const auto [first, last] = reads_.equal_range(stream.id());
  if (first == last) return;
  std::vector<std::shared_ptr<Read>> waiting;
  for (auto read = first; read != last; ++read) waiting.push_back(read->second);
  for (const auto& read : waiting) {
    if (try_read(*read)) end_read(read);
  }
}

void StreamOperations::expire() {
  const base::BlockingAllowed allowed;
  bool is_wanted = false;
  for (const auto& [id, stream] : parts_.store.all()) {
    if (!stream->definition().time_to_live_ms) continue;
    is_wanted = true;
    try {
      stream->expire(now_ms());
    } catch (const base::Error& error) {
      base::log_error("messages that have outlived their time cannot be dropped",
                      {{"stream", stream->definition().name}, {"why", error.message()}});
    }
  }
  expiry_ =
      parts_.loop.after(is_wanted ? kExpiryCadence : 4 * kExpiryCadence, [this] { expire(); });
}

StreamReply StreamOperations::describe(const std::string& request_id, MessageStream& stream) const {
  CborWriter writer = begin_reply(1, request_id, StreamStatus::success, "");
  writer.text("messageStreamInfo").map(3).text("definition");
  write_definition(writer, stream.definition());
  writer.text("storageStatus").map(3);
  writer.text("oldestSequenceNumber").integer(stream.oldest());
  writer.text("newestSequenceNumber").integer(stream.newest());
  writer.text("totalBytes").integer(stream.total_bytes());
  const auto statuses = parts_.exporter.statuses(stream.id());
  writer.text("exportStatuses").array(statuses.size());
  for (const Exporter::Status& status : statuses) {
    writer.map(6).text("exportConfigIdentifier").text(status.identifier);
    writer.text("lastExportedSequenceNumber").integer(status.cursor.next - 1);
    writer.text("lastExportTime").integer(status.cursor.last_attempt_ms);
    writer.text("errorMessage").text(status.error);
    writer.text("exportedBytesFromStream").integer(status.cursor.bytes);
    writer.text("exportedMessagesCount").integer(status.cursor.messages);
  }
  return reply_of(StreamOperation::describe, std::move(writer));
}

}  // namespace andon::edge
