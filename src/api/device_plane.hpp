// SPDX-License-Identifier: Apache-2.0
// The HTTPS side of the device plane (port 8443): the Greengrass data plane, artifact bytes, the
// credentials provider, enrolment, and the S3 API for devices' uploads. Who asks is taken from the
// TLS client certificate, which must be registered and active. Any thread; called by the pool of
// wire::HttpServer.
#pragma once

#include <functional>
#include <string>

#include "base/time.hpp"
#include "control/control_plane.hpp"
#include "store/object_store.hpp"
#include "wire/http.hpp"

namespace andon::api {

// Where devices reach this server, as they must write it.
struct DeviceEndpoints {
  std::string host;
  std::uint16_t https_port = 8443;
  std::uint16_t mqtt_port = 8883;

  [[nodiscard]] std::string https_url() const;  // https://host:8443
};

struct TemporaryCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  base::Timestamp expires;
};

struct DevicePlaneOptions {
  DeviceEndpoints endpoints;
  std::string ca_certificate_pem;
  // Makes keys for "thing/<name>" that are good for an hour.
  std::function<TemporaryCredentials(const std::string& principal)> issue_credentials;
  // Answers what is not a path of the device plane: the S3 API for devices.
  std::function<wire::HttpResponse(wire::HttpRequest&)> s3;
};

class DevicePlane {
 public:
  DevicePlane(control::ControlPlane& control, store::ObjectStore& objects,
              DevicePlaneOptions options);

  // Never throws for what a device did wrong: that is a response.
  [[nodiscard]] wire::HttpResponse handle(wire::HttpRequest& request);

 private:
  control::ControlPlane& control_;
  store::ObjectStore& objects_;
  DevicePlaneOptions options_;
};

}  // namespace andon::api
