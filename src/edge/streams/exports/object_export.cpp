// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/object_export.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "edge/streams/exports/http_export.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kScheme = "s3+https://";
constexpr std::size_t kLeastBucket = 3;
constexpr std::size_t kMostBucket = 63;
constexpr std::size_t kMostPrefix = 512;
constexpr std::size_t kDigits = 20;

bool is_of_bucket(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
         letter == '.';
}

StreamError wrong(const std::string& uri, const std::string& why) {
  return {StreamStatus::invalid_request, "uri " + uri + " " + why};
}

std::string padded(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

}  // namespace

ObjectAddress read_object_address(const std::string& uri) {
  std::string_view rest = uri;
  rest.remove_prefix(std::min(kScheme.size(), rest.size()));
  if (!rest.starts_with('/')) {
    throw wrong(uri,
                "names a host, but objects go to the server of the device alone: "
                "s3+https:///bucket/prefix");
  }
  if (rest.find('?') != std::string_view::npos) {
    throw wrong(uri, "has options; batchSize and batchIntervalMillis say when objects are written");
  }
  rest.remove_prefix(1);
  ObjectAddress address;
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  address.bucket = rest.substr(0, slash);
  address.prefix = rest.substr(std::min(slash + 1, rest.size()));
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  const std::size_t length = address.bucket.size();
  if (length < kLeastBucket || length > kMostBucket ||
      !std::ranges::all_of(address.bucket, is_of_bucket)) {
    throw wrong(uri, "names no bucket: s3+https:///bucket/prefix");
  }
  if (address.prefix.size() > kMostPrefix) {
    throw wrong(uri, "has a prefix of more than " + std::to_string(kMostPrefix) + " bytes");
  }
  return address;
}

ObjectExport::ObjectExport(const HttpExportSettings& settings, const ExportWorld& world)
    : address_(read_object_address(settings.uri)),
      is_batched_(settings.is_batched),
      world_(world),
      store_(world) {}

ExportOutcome ObjectExport::send(const ExportBatch& batch, const std::atomic<bool>& cancelled) {
  std::string prefix = with_places(address_.prefix, batch.stream, world_.thing_name);
  if (!prefix.empty()) prefix += '/';
  prefix += batch.stream + '/';
  std::size_t done = 0;
  try {
    if (is_batched_) {
      std::string lines;
      for (const StreamMessage& message : batch.messages) {
        lines += message_json(batch.stream, message) + '\n';
      }
      put(prefix + padded(batch.messages.front().sequence) + '-' +
              padded(batch.messages.back().sequence) + ".ndjson",
          std::move(lines), "application/x-ndjson", cancelled);
      return {.done = batch.messages.size()};
    }
    for (const StreamMessage& message : batch.messages) {
      put(prefix + padded(message.sequence), message.payload, "application/octet-stream",
          cancelled);
      ++done;
    }
    return {.done = done};
  } catch (const base::Error& error) {
    // Also where it is denied, or there is no such bucket: both can be mended, a lost message not.
    return {ExportOutcome::Kind::retry, done, error.message(), 0};
  }
}

void ObjectExport::put(const std::string& key, std::string body, const char* type,
                       const std::atomic<bool>& cancelled) {
  world_.await_budget(body.size(), cancelled);
  ObjectClient::Request request{
      .method = "PUT", .bucket = address_.bucket, .key = key, .body = std::move(body)};
  request.headers.set("Content-Type", type);
  static_cast<void>(store_.call(std::move(request), cancelled));
}

}  // namespace andon::edge
