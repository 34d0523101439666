// SPDX-License-Identifier: Apache-2.0
#include "api/device_plane.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "api/byte_range.hpp"
#include "api/greengrass_rows.hpp"
#include "api/members.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using wire::HttpRequest;
using wire::HttpResponse;
namespace json = base::json;

constexpr std::size_t kMaxBodyBytes = 256U << 10U;
constexpr std::string_view kLiteRuntime = "aws_nucleus_lite";

HttpResponse json_response(int status, const json::value& body) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = base::to_text(body);
  return response;
}

std::string_view exception_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "ValidationException";
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return "AccessDeniedException";
    case ErrorCode::not_found:
      return "ResourceNotFoundException";
    case ErrorCode::resource_exhausted:
      return "ThrottlingException";
    default:
      return "InternalServerException";
  }
}

HttpResponse error_response(ErrorCode code, std::string_view message) {
  HttpResponse response = json_response(base::http_status(code), {{"message", message}});
  response.headers.add("x-amzn-errortype", std::string(exception_name(code)));
  return response;
}

json::object read_body(const HttpRequest& request) {
  json::value value =
      base::parse_json(request.body.read(kMaxBodyBytes), "request body", {kMaxBodyBytes, 16});
  if (!value.is_object()) {
    throw Error(ErrorCode::invalid_argument, "the request body must be a JSON object");
  }
  return std::move(value.get_object());
}

void require_method(const HttpRequest& request, std::string_view method) {
  if (request.method != method) {
    throw Error(ErrorCode::not_found, "there is no " + request.method + " " + request.path);
  }
}

std::string decode(std::string_view text) {
  const auto decoded = base::percent_decode(text);
  if (!decoded) throw Error(ErrorCode::not_found, "the path is not percent-encoded correctly");
  return *decoded;
}

// What stands between `prefix` and `suffix`, decoded; nothing where the path is not of that form.
std::optional<std::string> between(std::string_view path, std::string_view prefix,
                                   std::string_view suffix) {
  if (!path.starts_with(prefix) || !path.ends_with(suffix) ||
      path.size() <= prefix.size() + suffix.size()) {
    return std::nullopt;
  }
  return decode(path.substr(prefix.size(), path.size() - prefix.size() - suffix.size()));
}

// The routes of one request.
class Exchange {
 public:
  Exchange(control::ControlPlane& control, store::ObjectStore& objects,
           const DevicePlaneOptions& options, HttpRequest& request)
      : control_(control), objects_(objects), options_(options), request_(request) {}

  HttpResponse answer() {
    const std::string_view path = request_.path;
    if (path == "/andon/v1/ca.pem") return ca_certificate();
    if (path == "/andon/v1/enrol") return enrol();
    if (path == "/greengrass/v2/resolveComponentCandidates") return resolve();
    if (const auto digest = between(path, "/andon/v1/blobs/sha256/", "")) return blob(*digest);
    if (const auto thing = between(path, "/greengrass/v2/coreDevices/", "/thingGroups")) {
      return thing_groups(*thing);
    }
    constexpr std::string_view kComponents = "/greengrass/v2/components/";
    constexpr std::string_view kArtifacts = "/artifacts/";
    if (path.starts_with(kComponents)) {
      const std::string_view rest = path.substr(kComponents.size());
      const std::size_t at = rest.find(kArtifacts);
      if (at != std::string_view::npos) {
        return artifact(decode(rest.substr(0, at)), decode(rest.substr(at + kArtifacts.size())));
      }
    }
    if (between(path, "/role-aliases/", "/credentials")) return credentials();
    const bool is_ours = path.starts_with("/greengrass/") || path.starts_with("/andon/") ||
                         path.starts_with("/role-aliases/");
    if (is_ours) throw Error(ErrorCode::not_found, "there is nothing at " + request_.path);
    return options_.s3(request_);
  }

 private:
  [[nodiscard]] std::string device() const {
    if (!request_.client_certificate_pem) {
      throw Error(ErrorCode::permission_denied,
                  "this needs the device's client certificate; provision the device first");
    }
    return control_.enrolment.authenticate(*request_.client_certificate_pem);
  }

  [[nodiscard]] HttpResponse ca_certificate() const {
    require_method(request_, "GET");
    HttpResponse response;
    response.headers.add("Content-Type", "application/x-pem-file");
    response.body = options_.ca_certificate_pem;
    return response;
  }

  [[nodiscard]] HttpResponse enrol() {
    require_method(request_, "POST");
    const json::object input = read_body(request_);
    const control::EnrolledDevice device =
        control_.enrolment.enrol(required_text(input, "secret"), required_text(input, "csr"));
    base::log_info("device enrolled", {{"thing", device.thing}, {"peer", request_.peer_address}});
    const DeviceEndpoints& at = options_.endpoints;
    return json_response(200, {{"thingName", device.thing},
                               {"certificatePem", device.certificate_pem},
                               {"caPem", options_.ca_certificate_pem},
                               {"mqtt", {{"host", at.host}, {"port", at.mqtt_port}}},
                               {"dataPlane", {{"host", at.host}, {"port", at.https_port}}},
                               {"region", control_.arns.region()}});
  }

  [[nodiscard]] HttpResponse thing_groups(const std::string& thing) const {
    require_method(request_, "GET");
    const std::string caller = device();
    if (thing != caller) {
      throw Error(ErrorCode::permission_denied,
                  "\"" + caller + "\" may not read the groups of \"" + thing + "\"");
    }
    json::array groups;
    for (const std::string& name : control_.things.list_groups_of(thing, {1000, ""}).items) {
      json::object group{{"thingGroupName", name},
                         {"thingGroupArn", control_.arns.thing_group(name)}};
      json::array ancestors;
      const auto found = control_.things.find_group(name);
      if (!found) continue;  // deleted just now
      for (const std::string& ancestor : found->ancestors) {
        ancestors.emplace_back(json::object{
            {"thingGroupName", ancestor}, {"thingGroupArn", control_.arns.thing_group(ancestor)}});
      }
      if (!ancestors.empty()) group["rootToParentThingGroups"] = std::move(ancestors);
      groups.emplace_back(std::move(group));
    }
    // A nucleus lite keeps what was deployed to the thing itself under its bare name, and only
    // while that is among its groups.
    const auto core = control_.core_devices.find(thing);
    if (core && core->runtime == kLiteRuntime) {
      groups.emplace_back(
          json::object{{"thingGroupName", thing}, {"thingGroupArn", control_.arns.thing(thing)}});
    }
    return json_response(200, {{"thingGroups", std::move(groups)}});
  }

  [[nodiscard]] HttpResponse resolve() {
    require_method(request_, "POST");
    const std::string thing = device();
    const ResolveRequest wanted = read_resolve_request(read_body(request_));
    json::array resolved;
    for (const control::ComponentCandidate& candidate : wanted.candidates) {
      if (!control_.access.may_resolve(thing, candidate.name)) {
        throw Error(ErrorCode::permission_denied,
                    "no deployment for \"" + thing + "\" holds component " + candidate.name);
      }
      const control::ComponentVersion found =
          control_.components.resolve(candidate, wanted.platform);
      control_.access.grant(thing, found.summary.name, found.summary.version);
      resolved.emplace_back(describe_resolved(found));
    }
    return json_response(200, {{"resolvedComponentVersions", std::move(resolved)}});
  }

  [[nodiscard]] HttpResponse artifact(const std::string& arn, const std::string& name) const {
    require_method(request_, "GET");
    const std::string thing = device();
    const auto ref = control::parse_component_arn(arn);
    if (!ref || !ref->version) {
      throw Error(ErrorCode::not_found, "\"" + arn + "\" is not a component version's ARN");
    }
    if (!control_.access.may_fetch(thing, ref->name, *ref->version)) {
      throw Error(ErrorCode::permission_denied, "no deployment for \"" + thing +
                                                    "\" holds component " + ref->name +
                                                    " version " + *ref->version);
    }
    const auto found = control_.components.find_artifact(ref->name, *ref->version, name);
    if (!found) {
      throw Error(ErrorCode::not_found, "component " + ref->name + " version " + *ref->version +
                                            " has no artifact \"" + name + "\"");
    }
    const std::string url = options_.endpoints.https_url() + "/andon/v1/blobs/sha256/" +
                            found->sha256 + "?artifact=" + base::percent_encode(name);
    return json_response(200, {{"preSignedUrl", url}});
  }

  [[nodiscard]] HttpResponse blob(const std::string& sha256) const {
    if (request_.method != "HEAD") require_method(request_, "GET");
    const std::string thing = device();
    if (!control_.access.may_fetch_blob(thing, sha256)) {
      throw Error(ErrorCode::permission_denied,
                  "no deployment for \"" + thing + "\" holds an artifact " + sha256);
    }
    std::optional<base::UniqueFd> file = objects_.open_blob(sha256);
    if (!file) {
      throw Error(ErrorCode::data_corrupted,
                  "the bytes of artifact " + sha256 + " are missing in the object store");
    }
    return file_response(request_, std::move(*file), sha256);
  }

  [[nodiscard]] HttpResponse credentials() const {
    require_method(request_, "GET");
    const std::string thing = device();
    const auto named = request_.headers.find("x-amzn-iot-thingname");
    if (named && *named != thing) {
      throw Error(
          ErrorCode::permission_denied,
          "\"" + thing + "\" may not have the credentials of \"" + std::string(*named) + "\"");
    }
    const TemporaryCredentials made = options_.issue_credentials("thing/" + thing);
    return json_response(200, {{"credentials",
                                {{"accessKeyId", made.access_key_id},
                                 {"secretAccessKey", made.secret_access_key},
                                 {"sessionToken", made.session_token},
                                 {"expiration", base::to_iso8601(made.expires)}}}});
  }

  control::ControlPlane& control_;
  store::ObjectStore& objects_;
  const DevicePlaneOptions& options_;
  HttpRequest& request_;
};

}  // namespace

std::string DeviceEndpoints::https_url() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(https_port);
}

DevicePlane::DevicePlane(control::ControlPlane& control, store::ObjectStore& objects,
                         DevicePlaneOptions options)
    : control_(control), objects_(objects), options_(std::move(options)) {}

HttpResponse DevicePlane::handle(HttpRequest& request) {
  try {
    return Exchange(control_, objects_, options_, request).answer();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::permission_denied) {
      base::log_warning(
          "device refused",
          {{"path", request.path}, {"peer", request.peer_address}, {"reason", error.message()}});
    }
    if (error.code() != ErrorCode::internal) return error_response(error.code(), error.message());
    base::log_error("device request failed", {{"path", request.path}, {"error", error.message()}});
  } catch (const std::exception& error) {
    base::log_error("device request failed", {{"path", request.path}, {"error", error.what()}});
  }
  return error_response(ErrorCode::internal, "a defect of the server: see its log");
}

}  // namespace andon::api
