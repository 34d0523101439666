// SPDX-License-Identifier: Apache-2.0
// Tasks that put a file of the device into a bucket of the server that it is enrolled with: one PUT
// up to the threshold, in parts above it. A task's key is resolved once; it and what has been sent
// of the parts are kept beside the stream, so that an upload goes on after a restart. A file that
// changes meanwhile is sent anew. What is left of an upload that ended otherwise is aborted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "edge/streams/exports/export_target.hpp"
#include "edge/streams/exports/object_client.hpp"
#include "edge/streams/exports/s3_task.hpp"

namespace andon::edge {

class S3Export final : public ExportTarget {
 public:
  S3Export(S3ExportSettings settings, const ExportWorld& world, base::fs::path state_file);

  // One task at a time.
  ExportOutcome send(const ExportBatch& batch, const std::atomic<bool>& cancelled) override;

 private:
  struct Upload {
    std::int64_t sequence = -1;
    std::string bucket;
    std::string key;
    std::string id;  // of a multipart upload; empty: none has begun
    std::int64_t file_bytes = 0;
    std::int64_t file_changed_ns = 0;
    std::int64_t part_bytes = 0;
    std::vector<std::string> etags;
  };

  ExportOutcome run(const S3Task& task, std::int64_t sequence, const std::atomic<bool>& cancelled);
  void begin(const S3Task& task, std::int64_t sequence, const std::atomic<bool>& cancelled);
  void put_whole(const S3Task& task, int file, const std::atomic<bool>& cancelled);
  void put_parts(const S3Task& task, int file, const std::atomic<bool>& cancelled);
  void complete(const std::atomic<bool>& cancelled);
  void abort_upload(const std::atomic<bool>& cancelled);
  wire::IncomingResponse call(ObjectClient::Request request, const std::atomic<bool>& cancelled);
  void load();
  void save() const;
  void forget();

  S3ExportSettings settings_;
  const ExportWorld& world_;
  base::fs::path state_file_;
  base::SystemClock clock_;
  ObjectClient store_;
  std::optional<Upload> upload_;
  bool is_loaded_ = false;
};

}  // namespace andon::edge
