// SPDX-License-Identifier: Apache-2.0
// The HTTPS side of the device plane (port 8443): the Greengrass data plane, artifact bytes, the
// credentials provider, enrolment, IoT's data plane (shadows, messages), and the S3 API for
// devices' uploads. Who asks is taken from the TLS client certificate, which must be one that may
// be used (control/identity/connection_rights). Any thread; called by the pool of wire::HttpServer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/device/artifact_links.hpp"
#include "api/device/package_files.hpp"
#include "api/table/operation.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/audit/audit_log.hpp"
#include "control/control_plane.hpp"
#include "control/discovery/core_trust.hpp"
#include "fleet/messages/device_logs.hpp"
#include "store/objects/object_store.hpp"
#include "wire/http/http.hpp"

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

// Another API, which answers a thing that shows its certificate.
struct DeviceService {
  std::function<bool(const wire::HttpRequest&)> has;
  std::function<wire::HttpAdmission(const wire::HttpRequest&)> admit = {};  // null: any body
  std::function<wire::HttpResponse(const Caller& device, const wire::HttpRequest&)> answer;
};

struct DevicePlaneOptions {
  DeviceEndpoints endpoints;
  std::string ca_certificate_pem;
  // Makes keys for a thing that asks by a role alias; they are good for as long as its certificate
  // is at most.
  std::function<TemporaryCredentials(const std::string& thing, const std::string& certificate_id,
                                     const std::string& role_alias)>
      issue_credentials;
  // The role alias that a thing was given; null, or empty: none.
  std::function<std::string(const std::string& thing)> role_alias_of = {};
  // Called when a device has a new certificate and before it is told: what lets it in learns of it.
  std::function<void()> on_enrolled;
  // Asked in their order for what is not a path of the device plane.
  std::vector<DeviceService> services = {};
  // Answer what none of these has: the S3 API for devices.
  std::function<wire::HttpResponse(wire::HttpRequest&)> s3;
  std::function<wire::HttpAdmission(const wire::HttpRequest&)> admit_s3;
  // Stores lines that a component of the thing has written; null: there is no such path.
  std::function<void(const std::string& thing, const fleet::DeviceLogs& logs)> put_logs = {};
  // Records what devices are refused, and what they are given to be known by: certificates and
  // keys. Null: nobody does.
  control::AuditLog* audit = nullptr;
  // Of core devices and their client devices. Null: every core device has the server's CA, and is
  // told of no client devices.
  control::CoreTrust* core_trust = nullptr;
  // The files below /packages/, which need no certificate; empty: none, and the path is S3's.
  base::fs::path packages = {};
};

class DevicePlane {
 public:
  DevicePlane(control::ControlPlane& control, store::ObjectStore& objects,
              DevicePlaneOptions options);

  // Never throws for what a device did wrong: that is a response.
  [[nodiscard]] wire::HttpResponse handle(wire::HttpRequest& request);
  // Whether a request may send its body, from its head.
  [[nodiscard]] wire::HttpAdmission admit(const wire::HttpRequest& head);

 private:
  control::ControlPlane& control_;
  store::ObjectStore& objects_;
  DevicePlaneOptions options_;
  PackageFiles packages_;
  base::SystemClock clock_;
  ArtifactLinks links_;
};

}  // namespace andon::api
