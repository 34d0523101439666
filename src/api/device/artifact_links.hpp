// SPDX-License-Identifier: Apache-2.0
// Links to artifacts for who asked for one with a certificate and reads it without: a Greengrass
// nucleus fetches a `preSignedUrl` by a plain GET, as from S3. A link is of one thing and one blob,
// and good for a quarter of an hour; who serves it asks anew whether the thing may have the blob.
// The key is this process': after a restart a device asks for a new link. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/time/time.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

class ArtifactLinks {
 public:
  static constexpr std::chrono::minutes kLifetime{15};

  explicit ArtifactLinks(std::string key) : key_(std::move(key)) {}

  // "thing=...&until=...&signature=...", for the query of the blob's URL.
  [[nodiscard]] std::string query_for(const std::string& sha256, const std::string& thing,
                                      base::Timestamp now) const;
  // The thing of the request's link. Throws permission_denied where it has none, or one of another
  // blob, or one that is over.
  [[nodiscard]] std::string holder_of(const wire::HttpRequest& request, const std::string& sha256,
                                      base::Timestamp now) const;

 private:
  [[nodiscard]] std::string signature(const std::string& sha256, const std::string& thing,
                                      const std::string& until) const;

  std::string key_;
};

}  // namespace andon::api
