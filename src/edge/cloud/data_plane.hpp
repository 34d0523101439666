// SPDX-License-Identifier: Apache-2.0
// The Greengrass data plane as a device calls it, over HTTPS with the device's certificate: thing
// groups, component candidates, artifact addresses, temporary credentials. One object belongs to
// one thread at a time and keeps its connection. Holds no state that a crash could lose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "fleet/messages/data_plane.hpp"
#include "recipe/recipe/platform.hpp"
#include "recipe/recipe/resolve.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {

// Attributes of this machine (uname, /proc).
[[nodiscard]] recipe::PlatformAttributes own_platform();

[[nodiscard]] wire::HttpClientOptions http_options(const DeviceConfig& device,
                                                   const Layout& layout);

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
  // `logs`: fleet::DeviceLogs as text. They are stored when it returns.
  void put_logs(const std::string& logs);
  [[nodiscard]] fleet::TemporaryCredentials credentials(const std::string& role_alias);
  // Where client devices reach this one: the body of UpdateConnectivityInfo.
  void tell_connectivity(const base::json::object& connectivity);
  // Who the client devices are: fleet::ClientDeviceList as text. Nothing where that has the SHA-256
  // `known`.
  [[nodiscard]] std::optional<std::string> client_devices(const std::string& known);
  // The CAs that this device signs its broker's certificate with; PEM.
  void tell_authorities(const std::vector<std::string>& certificates);

 private:
  [[nodiscard]] wire::IncomingResponse call(const std::string& method, const std::string& target,
                                            const std::string& body);

  DeviceConfig config_;
  recipe::PlatformAttributes platform_;
  wire::HttpClient client_;
};

// Asks for a new certificate in the place of the one in the request. Without a client certificate:
// one that is over gets no connection, and the request itself shows the key. Throws as DataPlane.
[[nodiscard]] std::string renew_certificate(const DeviceConfig& config, const Layout& layout,
                                            const fleet::RenewalRequest& request);

// What the server's clock says, asked without a client certificate, so that one that is over does
// not matter; and whether it takes the certificate that is on the disk (also true where that could
// not be found out). Throws unavailable and the like where it does not answer at all.
struct ServerWord {
  base::Timestamp time;
  bool takes_certificate = true;
};
[[nodiscard]] ServerWord ask_server(const DeviceConfig& config, const Layout& layout);

// The answer to a question for `component`: nothing where the server has no version that satisfies
// who asks. Throws as DataPlane does. Pure.
[[nodiscard]] std::optional<recipe::Candidate> read_resolution(
    const wire::IncomingResponse& response, const std::string& component);

// The server's answer to a candidate question. Throws DeploymentFailure for a malformed one. Pure.
[[nodiscard]] recipe::Candidate parse_candidate(std::string_view body,
                                                const std::string& component);

}  // namespace andon::edge
