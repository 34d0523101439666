// SPDX-License-Identifier: Apache-2.0
// The Greengrass data plane as a device calls it, over HTTPS with the device's certificate: thing
// groups, component candidates, artifact addresses, temporary credentials. One object belongs to
// one thread at a time and keeps its connection. Holds no state that a crash could lose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "edge/device_config.hpp"
#include "edge/layout.hpp"
#include "recipe/platform.hpp"
#include "recipe/resolve.hpp"
#include "wire/http_client.hpp"

namespace andon::edge {

struct TemporaryCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string expiration;  // ISO 8601, as the server wrote it
};

// Attributes of this machine (uname).
[[nodiscard]] recipe::PlatformAttributes own_platform();

[[nodiscard]] wire::HttpClientOptions http_options(const Layout& layout);

// All throw unavailable and deadline_exceeded for what may pass, DeploymentFailure with
// Greengrass's codes for what the server refuses.
class DataPlane {
 public:
  DataPlane(const DeviceConfig& config, const Layout& layout);

  // Names of the groups, those above them included. Nothing where the server does not tell (403).
  [[nodiscard]] std::optional<std::vector<std::string>> thing_groups();
  [[nodiscard]] std::optional<recipe::Candidate> resolve(
      const std::string& component, const recipe::Requirements& requirements,
      const std::optional<std::string>& local_version);
  // Where the artifact's bytes are now.
  [[nodiscard]] std::string artifact_url(const std::string& component_version_arn,
                                         const std::string& artifact_name);
  [[nodiscard]] TemporaryCredentials credentials();

 private:
  [[nodiscard]] wire::IncomingResponse call(const std::string& method, const std::string& target,
                                            const std::string& body);

  DeviceConfig config_;
  recipe::PlatformAttributes platform_;
  wire::HttpClient client_;
};

// The server's answer to a candidate question. Throws DeploymentFailure for a malformed one. Pure.
[[nodiscard]] recipe::Candidate parse_candidate(std::string_view body,
                                                const std::string& component);

}  // namespace andon::edge
