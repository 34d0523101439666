// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_settings.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

constexpr std::int64_t kLeastPart = 5'242'880;
constexpr std::int64_t kMostPart = std::int64_t{5} << 30U;
constexpr std::int64_t kMostThreads = 32;
constexpr std::uint64_t kBytesOfKilobit = 125;

}  // namespace

ReadStreamSettings read_stream_settings(const base::json::object& configuration,
                                        const base::fs::path& default_root) {
  ReadStreamSettings read;
  read.settings.root = default_root;
  StreamSettings& settings = read.settings;
  const base::JsonReading reading{.texts = base::JsonReading::Texts::as_values,
                                  .empty_is_absent = true};
  const base::JsonReader reader(configuration, "", reading);
  const auto take = [&](const auto& one) {
    try {
      one();
    } catch (const base::Error& error) {
      read.problems.push_back(error.message());
    }
  };
  take([&] {
    const auto root = reader.optional_string("STREAM_MANAGER_STORE_ROOT_DIR");
    if (!root || *root == ".") return;
    if (!root->starts_with('/')) {
      reader.fail("STREAM_MANAGER_STORE_ROOT_DIR", "must be an absolute path");
    }
    settings.root = *root;
  });
  take([&] {
    const auto port = reader.optional_integer("STREAM_MANAGER_SERVER_PORT", 0, 65'535);
    if (port) settings.port = static_cast<std::uint16_t>(*port);
  });
  take([&] {
    const auto whether = reader.optional_bool("STREAM_MANAGER_AUTHENTICATE_CLIENT");
    if (whether) settings.authenticates = *whether;
  });
  take([&] {
    const auto kilobits =
        reader.optional_integer("STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH", 0, INT32_MAX);
    if (kilobits)
      settings.bytes_per_second = static_cast<std::uint64_t>(*kilobits) * kBytesOfKilobit;
  });
  for (const char* key :
       {"STREAM_MANAGER_THREAD_POOL_SIZE", "STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE"}) {
    take([&] {
      const auto threads = reader.optional_integer(key, 1, kMostThreads);
      if (threads) settings.export_threads = static_cast<std::size_t>(*threads);
    });
  }
  take([&] {
    const auto bytes = reader.optional_integer(
        "STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES", kLeastPart,
        kMostPart);
    if (bytes) settings.part_bytes = *bytes;
  });
  return read;
}

}  // namespace andon::edge
