// SPDX-License-Identifier: Apache-2.0
#include "edge/artifacts/artifact_fetcher.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <system_error>

#include "base/log/log.hpp"
#include "base/parallel/parallel.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/state/deployment_failure.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

// An artifact whose recipe does not tell its size may not be larger.
constexpr std::uint64_t kMaxUnknownSize = 16ULL << 30U;

std::uint64_t missing_bytes(const BlobStore& blobs, const WantedArtifact& wanted) {
  const std::uint64_t size = wanted.artifact.size.value_or(0);
  return size - std::min(size, blobs.partial_size(wanted.sha256));
}

// Each blob once, those that are stored already left out.
std::vector<WantedArtifact> lacking(BlobStore& blobs, const std::vector<WantedArtifact>& wanted) {
  std::map<std::string, WantedArtifact> by_digest;
  for (const WantedArtifact& one : wanted) by_digest.try_emplace(one.sha256, one);
  std::vector<WantedArtifact> result;
  for (auto& [digest, one] : by_digest) {
    if (!blobs.has_intact(one)) result.push_back(std::move(one));
  }
  return result;
}

void check_disk(const Layout& layout, const BlobStore& blobs,
                const std::vector<WantedArtifact>& missing, std::uint64_t reserve) {
  std::uint64_t needed = reserve;
  for (const WantedArtifact& one : missing) {
    needed += missing_bytes(blobs, one);
    // The archive stays beside what is unpacked from it.
    if (one.artifact.unarchive != recipe::Unarchive::none) needed += one.artifact.size.value_or(0);
  }
  std::error_code unknown;
  const fs::space_info space = fs::space(layout.root(), unknown);
  if (!unknown && space.available < needed) {
    throw DeploymentFailure(ErrorCode::resource_exhausted,
                            "DISK_SPACE_CRITICAL: the deployment needs " +
                                std::to_string(needed >> 20U) + " MiB below " +
                                layout.root().string() + ", " +
                                std::to_string(space.available >> 20U) + " MiB are free",
                            {"IO_ERROR", "DISK_SPACE_CRITICAL"}, {"DEVICE_ERROR"});
  }
}

DeploymentFailure download_failure(const Error& error, const WantedArtifact& wanted) {
  const std::string message = "cannot fetch " + wanted.describe() + ": " + error.message();
  if (const auto* known = dynamic_cast<const DeploymentFailure*>(&error)) {
    return {error.code(), message, known->codes(), known->types()};
  }
  switch (error.code()) {
    case ErrorCode::data_corrupted:  // more bytes than the recipe tells
      return {error.code(),
              "ARTIFACT_CHECKSUM_MISMATCH: " + message,
              {"ARTIFACT_DOWNLOAD_ERROR", "ARTIFACT_CHECKSUM_MISMATCH"},
              {"COMPONENT_ERROR"}};
    case ErrorCode::resource_exhausted:
      return {error.code(),
              "DISK_SPACE_CRITICAL: " + message,
              {"IO_ERROR", "DISK_SPACE_CRITICAL"},
              {"DEVICE_ERROR"}};
    case ErrorCode::unavailable:
    case ErrorCode::deadline_exceeded: {
      std::vector<std::string> codes = network_codes(error);
      codes.insert(codes.begin(), "ARTIFACT_DOWNLOAD_ERROR");
      return {error.code(), message, std::move(codes), {"NETWORK_ERROR"}};
    }
    case ErrorCode::permission_denied:
      return {error.code(),
              message,
              {"ARTIFACT_DOWNLOAD_ERROR", "ACCESS_DENIED"},
              {"PERMISSION_ERROR"}};
    default:
      return {error.code(),
              message,
              {"ARTIFACT_DOWNLOAD_ERROR", "DOWNLOAD_GREENGRASS_ARTIFACT_ERROR"},
              {"CLOUD_SERVICE_ERROR"}};
  }
}

// One downloading thread's tools; its connections are used again for the next artifact.
class Downloader {
 public:
  Downloader(const DeviceConfig& config, const Layout& layout, const FetchLimits& limits,
             LinkBudget& budget, std::size_t share, const Cancellation& cancellation)
      : data_plane_(config, layout),
        client_(http_options(config, layout)),
        blobs_(layout),
        limits_(limits),
        budget_(budget),
        share_(share),
        cancellation_(cancellation) {}

  void fetch(const WantedArtifact& wanted) {
    try {
      retry(
          cancellation_, limits_.patience,
          [&] { return blobs_.partial_size(wanted.sha256) + stops_; },
          [&] {
            while (!attempt(wanted)) ++stops_;
          });
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      if (error.code() == ErrorCode::resource_exhausted) {
        std::error_code gone;  // the agent needs the space to say so
        fs::remove(blobs_.partial_path(wanted.sha256), gone);
      }
      throw download_failure(error, wanted);
    }
  }

 private:
  // False where the budget wants it to begin again.
  bool attempt(const WantedArtifact& wanted) {
    if (budget_.await(LinkUse::downloads, cancellation_.flag())) ++stops_;
    cancellation_.throw_if_cancelled();
    wire::DownloadRequest request;
    request.file = blobs_.partial_path(wanted.sha256);
    if (wanted.artifact.size && blobs_.partial_size(wanted.sha256) > *wanted.artifact.size) {
      fs::remove(request.file);  // not a beginning of this artifact
    }
    if (wanted.artifact.size == 0U) {
      base::write_file_atomically(request.file, {});
      return true;
    }
    request.url = data_plane_.artifact_url(wanted.arn, wanted.name);
    request.max_bytes = wanted.artifact.size.value_or(kMaxUnknownSize);
    request.bytes_per_second = budget_.rate(LinkUse::downloads) / share_;
    request.cancelled = &cancellation_.flag();
    bool is_stopped = false;
    std::uint64_t counted = blobs_.partial_size(wanted.sha256);
    request.on_progress = [&](const wire::DownloadProgress& now) {
      const std::uint64_t fresh = now.received - std::min(now.received, counted);
      counted = now.received;
      const bool is_complete = now.total != 0 && now.received >= now.total;
      if (budget_.spend(LinkUse::downloads, fresh, cancellation_.flag()) || is_complete) return;
      is_stopped = true;
      throw Error(ErrorCode::unavailable, "the link's budget stops it");
    };
    try {
      client_.download(request);
    } catch (const Error&) {
      if (!is_stopped) throw;
    }
    return !is_stopped;
  }

  DataPlane data_plane_;
  wire::HttpClient client_;
  BlobStore blobs_;
  const FetchLimits& limits_;
  LinkBudget& budget_;
  std::uint64_t stops_ = 0;  // by the budget
  std::size_t share_;
  const Cancellation& cancellation_;
};

}  // namespace

FetchedBytes fetch_artifacts(const DeviceConfig& config, const Layout& layout,
                             const std::vector<WantedArtifact>& wanted, const FetchLimits& limits,
                             LinkBudget& budget, const Cancellation& cancellation) {
  BlobStore blobs(layout);
  const std::vector<WantedArtifact> missing = lacking(blobs, wanted);
  if (missing.empty()) return {};
  check_disk(layout, blobs, missing, limits.disk_reserve_bytes);
  FetchedBytes fetched{missing.size(), 0};
  for (const WantedArtifact& one : missing) fetched.bytes += missing_bytes(blobs, one);

  const std::size_t workers = std::clamp<std::size_t>(limits.parallel, 1, missing.size());
  base::share_tasks(missing.size(), workers, [&](base::Share& share) {
    Downloader downloader(config, layout, limits, budget, workers, cancellation);
    while (const auto index = share.take()) downloader.fetch(missing[*index]);
  });
  // Their contents are synced; a journal that says "fetched" means their names, too.
  base::sync_directory(layout.partial_blobs());
  return fetched;
}

}  // namespace andon::edge
