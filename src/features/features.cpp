// SPDX-License-Identifier: Apache-2.0
#include "features/features.hpp"

#include <algorithm>
#include <memory>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "features/groups/schema.hpp"

namespace andon::features {
namespace {

constexpr std::int64_t kSweepStep = 500;
constexpr int kMostSweepSteps = 200;

store::Database& migrated(store::Database& database) {
  migrate_features(database);
  return database;
}

store::ByteSource source_of(const std::string& bytes) {
  return [&bytes, offset = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const std::size_t count = std::min(size, bytes.size() - offset);
    std::copy_n(bytes.data() + offset, count, buffer);
    offset += count;
    return count;
  };
}

}  // namespace

Features::Features(const Parts& parts)
    : parts_(parts),
      groups(migrated(parts.database), parts.clock, parts.arns),
      records(parts.database, parts.clock, parts.limits),
      queries(parts.database, parts.path, parts.objects, groups, parts.clock, parts.queries),
      exporter_(
          parts.database, parts.clock, [this](const ExportedObject& object) { write(object); },
          parts.exports) {}

Features::~Features() {
  stop();
}

void Features::run() {
  queries.run();
  thread_ = std::thread([this] { work(); });
}

void Features::stop() {
  queries.stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Features::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_all();
}

void Features::sweep() {
  for (int step = 0; step < kMostSweepSteps; ++step) {
    if (records.sweep(kSweepStep) + queries.executions.sweep(kSweepStep) == 0) return;
  }
}

void Features::work() {
  const auto is_over = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_ || is_woken_; });
      if (stopping_) return;
      is_woken_ = false;
    }
    try {
      const auto problem = [this](const FeatureGroup& group) { return problem_of(group); };
      while (!is_over() && groups.carry_on(problem)) {
      }
      while (!is_over() && exporter_.carry_on()) {
      }
    } catch (const std::exception& error) {
      base::log_error("the feature store's own work failed; tried again in a second",
                      {{"error", std::string(error.what())}});
    }
  }
}

void Features::write(const ExportedObject& object) const {
  parts_.check_write(object.role_arn, object.bucket, object.key);
  parts_.objects.put(object.bucket, object.key, source_of(object.bytes),
                     {.content_type = "application/x-ndjson"});
}

std::optional<std::string> Features::problem_of(const FeatureGroup& group) const {
  if (!group.request.is_offline) return std::nullopt;
  const S3Place place = parse_s3_uri(offline_location(group, parts_.arns));
  if (!parts_.objects.has_bucket(place.bucket)) {
    return "The S3 bucket " + place.bucket + " of S3StorageConfig.S3Uri does not exist";
  }
  try {
    parts_.check_write(group.request.role_arn, place.bucket, place.prefix + "/x");
  } catch (const std::exception& error) {
    return "The role cannot write to S3StorageConfig.S3Uri: " + std::string(error.what());
  }
  return std::nullopt;
}

}  // namespace andon::features
