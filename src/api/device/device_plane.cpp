// SPDX-License-Identifier: Apache-2.0
#include "api/device/device_plane.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "api/audit/call_audit.hpp"
#include "api/greengrass/rows.hpp"
#include "api/s3/format/byte_range.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "fleet/messages/data_plane.hpp"
#include "fleet/names/reason.hpp"
#include "fleet/provisioning/enrolment.hpp"
#include "recipe/recipe/canonical_recipe.hpp"
#include "recipe/recipe/recipe_parser.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using wire::HttpRequest;
using wire::HttpResponse;
namespace json = base::json;

constexpr std::size_t kMaxBodyBytes = 256U << 10U;
// From who is not known yet.
constexpr std::size_t kMaxEnrolmentBytes = 64U << 10U;
constexpr std::size_t kLinkKeyBytes = 32;
constexpr std::string_view kOwnRuntime = "andon_edge";
constexpr std::size_t kMostLiteGroupsBytes = 2048;  // its buffer for the answer

// As a nucleus lite reads it: names alone; it takes no notice of parents, so they stand for
// themselves. It keeps what was deployed to the thing itself under its bare name, and only while
// that is among its groups.
json::object lite_groups(const fleet::ThingGroups& page, const std::string& thing) {
  std::set<std::string> names{thing};
  for (const fleet::ThingGroup& one : page.groups) {
    names.insert(one.group.name);
    for (const fleet::ThingGroupRef& ancestor : one.ancestors) names.insert(ancestor.name);
  }
  json::array groups;
  for (const std::string& name : names) groups.push_back(json::object{{"thingGroupName", name}});
  return {{"thingGroups", std::move(groups)}};
}

// Throws not_found (a nucleus lite asks again seven times after most other answers) for a component
// that it could not run.
fleet::ResolvedVersion as_resolved_for_lite(const control::ComponentVersion& found,
                                            const recipe::PlatformAttributes& device) {
  fleet::ResolvedVersion resolved = as_resolved(found);
  const recipe::Recipe served = recipe::parse_recipe(found.served_recipe);
  if (const auto problem = recipe::find_lite_problem(served, device); !problem.empty()) {
    throw Error(ErrorCode::not_found, "no usable version of component " + found.summary.name +
                                          " for a nucleus lite: of " + found.summary.version +
                                          ", " + problem);
  }
  resolved.recipe = base::to_text(recipe::to_lite_json(served, device));
  return resolved;
}

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

HttpResponse error_response(const Error& error) {
  json::object body{{"message", error.message()}};
  if (const auto reason = fleet::reason_of(error); !reason.empty()) {
    body[fleet::kReasonMember] = reason;
  }
  HttpResponse response = json_response(base::http_status(error.code()), body);
  response.headers.add("x-amzn-errortype", std::string(exception_name(error.code())));
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

constexpr std::string_view kBlobs = "/andon/v1/blobs/sha256/";

// The thing that asks. Throws permission_denied.
std::string device_of(const control::ControlPlane& control, const HttpRequest& request) {
  if (!request.client_certificate_pem) {
    throw Error(ErrorCode::permission_denied,
                "this needs the device's client certificate; provision the device first");
  }
  return control.rights.authenticate(*request.client_certificate_pem);
}

// Null: none has it.
const DeviceService* service_of(const DevicePlaneOptions& options, const HttpRequest& request) {
  const auto found = std::ranges::find_if(
      options.services, [&](const DeviceService& service) { return service.has(request); });
  return found == options.services.end() ? nullptr : &*found;
}

bool is_own_path(std::string_view path) {
  return path.starts_with("/greengrass/") || path.starts_with("/andon/") ||
         path.starts_with("/role-aliases/");
}

// Who may read the blob of the request: whose certificate it has, or whose link it is.
std::string reader_of(const control::ControlPlane& control, const ArtifactLinks& links,
                      const HttpRequest& request, base::Timestamp now) {
  if (request.client_certificate_pem) return device_of(control, request);
  std::string thing =
      links.holder_of(request, std::string(request.path).substr(kBlobs.size()), now);
  if (!control.rights.may_thing(thing)) {
    throw Error(ErrorCode::permission_denied,
                "\"" + thing + "\" has no certificate any more that may be used");
  }
  return thing;
}

// The routes of one request.
class Exchange {
 public:
  Exchange(control::ControlPlane& control, store::ObjectStore& objects,
           const DevicePlaneOptions& options, const ArtifactLinks& links, const base::Clock& clock,
           HttpRequest& request, CallAudit& audit)
      : control_(control),
        objects_(objects),
        options_(options),
        links_(links),
        clock_(clock),
        request_(request),
        audit_(audit) {}

  HttpResponse answer() {
    const std::string_view path = request_.path;
    if (path == fleet::kCaPath) return ca_certificate();
    if (path == fleet::kEnrolPath) return enrol();
    if (path == fleet::kRenewPath) return renew();
    if (path == fleet::kResolvePath) return resolve();
    if (path == fleet::kDeviceLogsPath && options_.put_logs) return logs();
    if (path.starts_with(kBlobs)) return blob(std::string(path.substr(kBlobs.size())));
    if (const auto thing = fleet::thing_of_groups_path(path)) return thing_groups(*thing);
    if (const auto ref = fleet::artifact_of_path(path)) {
      return artifact(ref->component_version_arn, ref->artifact);
    }
    if (const auto alias = fleet::role_alias_of_path(path)) return credentials(*alias);
    if (const auto thing = fleet::thing_of_discovery_path(path)) return discover(*thing);
    if (const auto thing = fleet::thing_of_connectivity_path(path)) return connectivity(*thing);
    if (const auto thing = fleet::thing_of_client_devices_path(path)) return clients(*thing);
    if (const auto thing = fleet::thing_of_authorities_path(path)) return authorities(*thing);
    if (is_own_path(path)) {
      throw Error(ErrorCode::not_found, "there is nothing at " + request_.path);
    }
    if (const DeviceService* service = service_of(options_, request_)) {
      return service->answer(device_caller(), request_);
    }
    return options_.s3(request_);
  }

 private:
  [[nodiscard]] std::string device() const {
    std::string thing = device_of(control_, request_);
    name_caller(thing);
    return thing;
  }
  void name_caller(const std::string& thing) const {
    audit_.set_caller({.access_key_id = {},
                       .principal = "thing/" + thing,
                       .account_id = {},
                       .region = control_.arns.region()},
                      nullptr);
    audit_.set_resources({control_.arns.thing(thing)});
  }
  // A device is given what it is known by.
  void begin(std::string_view operation) const {
    audit_.set_operation("andon", operation, control::AuditAccess::write);
    audit_.begin();
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
    begin("EnrolDevice");
    const fleet::EnrolmentRequest input = fleet::read_enrolment_request(read_body(request_));
    const control::EnrolledDevice device = control_.enrolment.enrol(input.secret, input.csr_pem);
    base::log_info("device enrolled", {{"thing", device.thing}, {"peer", request_.peer_address}});
    name_caller(device.thing);
    audit_.succeeded();
    if (options_.on_enrolled) options_.on_enrolled();
    const DeviceEndpoints& at = options_.endpoints;
    const std::string alias =
        options_.role_alias_of ? options_.role_alias_of(device.thing) : std::string();
    return json_response(200, to_json(fleet::EnrolmentAnswer{device.thing,
                                                             device.certificate_pem,
                                                             options_.ca_certificate_pem,
                                                             {at.host, at.mqtt_port},
                                                             {at.host, at.https_port},
                                                             control_.arns.region(),
                                                             alias}));
  }

  // Asks not whether the certificate may be used: one that is over may still be renewed.
  [[nodiscard]] HttpResponse renew() {
    require_method(request_, "POST");
    begin("RenewCertificate");
    const fleet::RenewalRequest input = fleet::read_renewal_request(read_body(request_));
    const auto& of_connection = request_.client_certificate_pem;
    if (!of_connection && input.certificate_pem.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  "certificatePem: is missing, and the connection has no certificate either");
    }
    using Proof = control::Renewal::Proof;
    const control::Certificate renewed =
        input.certificate_pem.empty()
            ? control_.renewal.renew(*of_connection, input.csr_pem, Proof::by_connection)
            : control_.renewal.renew(input.certificate_pem, input.csr_pem, Proof::by_request);
    base::log_info("certificate renewed", {{"thing", renewed.thing},
                                           {"certificate", renewed.id},
                                           {"until", base::to_iso8601(renewed.not_after)},
                                           {"peer", request_.peer_address}});
    name_caller(renewed.thing);
    audit_.set_detail("certificate " + renewed.id);
    audit_.succeeded();
    if (options_.on_enrolled) options_.on_enrolled();
    return json_response(200, to_json(fleet::RenewalAnswer{renewed.pem}));
  }

  // Groups follow from components that this server has: a device cannot invent any.
  [[nodiscard]] HttpResponse logs() const {
    require_method(request_, "POST");
    const std::string thing = device();
    const fleet::DeviceLogs logs = fleet::read_device_logs(read_body(request_));
    if (control_.components.list_versions(logs.component, {1, ""}).items.empty()) {
      throw Error(ErrorCode::not_found,
                  "this server has no component " + logs.component + " whose logs it would keep");
    }
    options_.put_logs(thing, logs);
    return json_response(200, json::object{});
  }

  // Only of the thing that asks.
  void require_own(const std::string& thing, std::string_view what) const {
    const std::string caller = device();
    if (thing == caller) return;
    throw Error(ErrorCode::permission_denied, "\"" + caller + "\" may not ask for " +
                                                  std::string(what) + " of \"" + thing + "\"");
  }

  [[nodiscard]] HttpResponse thing_groups(const std::string& thing) const {
    require_method(request_, "GET");
    require_own(thing, "the groups");
    const auto ref = [&](const std::string& name) {
      return fleet::ThingGroupRef{name, control_.arns.thing_group(name)};
    };
    fleet::ThingGroups page;
    for (const std::string& name : control_.things.list_groups_of(thing, {1000, ""}).items) {
      const auto found = control_.things.find_group(name);
      if (!found) continue;  // deleted just now
      fleet::ThingGroup group{ref(name), {}};
      for (const std::string& ancestor : found->ancestors) group.ancestors.push_back(ref(ancestor));
      page.groups.push_back(std::move(group));
    }
    const auto core = control_.core_devices.find(thing);
    if (!core || core->runtime != recipe::kLiteRuntime) return json_response(200, to_json(page));
    HttpResponse response = json_response(200, lite_groups(page, thing));
    if (std::get<std::string>(response.body).size() > kMostLiteGroupsBytes) {
      throw Error(ErrorCode::permission_denied,
                  "the names of the groups of \"" + thing +
                      "\" and of those above them take more " +
                      "than the 2048 bytes that its nucleus lite reads");
    }
    return response;
  }

  // Who has signed the certificate of a core device's broker: the core device itself, where it has
  // said so, else this server.
  [[nodiscard]] json::array authorities_of(const std::string& core) const {
    std::vector<std::string> all;
    if (options_.core_trust != nullptr) all = options_.core_trust->authorities(core);
    if (all.empty()) all.push_back(options_.ca_certificate_pem);
    return json::array(all.begin(), all.end());
  }

  // The core devices that a client device may connect to.
  [[nodiscard]] HttpResponse discover(const std::string& thing) const {
    require_method(request_, "GET");
    require_own(thing, "the core devices");
    json::array groups;
    for (const std::string& core : control_.client_devices.cores_of(thing)) {
      json::array connectivity;
      for (const control::CoreEndpoint& one : control_.client_devices.endpoints(core)) {
        connectivity.push_back(json::object{{"id", one.id},
                                            {"hostAddress", one.host},
                                            {"portNumber", one.port},
                                            {"metadata", one.metadata}});
      }
      groups.push_back(json::object{
          {"GGGroupId", "greengrassV2-coreDevice-" + core},
          {"Cores", json::array{json::object{{"thingArn", control_.arns.thing(core)},
                                             {"Connectivity", std::move(connectivity)}}}},
          {"CAs", authorities_of(core)}});
    }
    if (groups.empty()) {
      throw Error(ErrorCode::not_found, "\"" + thing +
                                            "\" is associated with no core device; associate it "
                                            "with BatchAssociateClientDeviceWithCoreDevice");
    }
    return json_response(200, json::object{{"GGGroups", std::move(groups)}});
  }

  // A core device says itself where it is reached, as Greengrass's IP detector does.
  [[nodiscard]] HttpResponse connectivity(const std::string& thing) const {
    if (request_.method != "PUT") require_method(request_, "GET");
    require_own(thing, "the connectivity");
    if (request_.method == "GET") {
      return json_response(200, show_endpoints(control_.client_devices.endpoints(thing)));
    }
    audit_.set_operation("greengrass", "UpdateConnectivityInfo", control::AuditAccess::write);
    audit_.begin();
    const auto version =
        control_.client_devices.set_endpoints(thing, read_endpoints(read_body(request_)));
    audit_.succeeded();
    return json_response(200, json::object{{"Version", std::to_string(version)}});
  }

  // Whom a core device may let in; it asks again and again.
  [[nodiscard]] HttpResponse clients(const std::string& thing) const {
    require_method(request_, "GET");
    require_own(thing, "the client devices");
    fleet::ClientDeviceList list;
    if (options_.core_trust != nullptr) {
      list.certificates = options_.core_trust->clients_of(thing);
    }
    for (const control::CoreEndpoint& one : control_.client_devices.endpoints(thing)) {
      list.hosts.push_back(one.host);
    }
    HttpResponse response = json_response(200, to_json(list));
    const auto known = request_.query_value(fleet::kKnownListQuery);
    if (known && *known == trust::sha256_hex(std::get<std::string>(response.body))) {
      response = HttpResponse{};
      response.status = 304;
    }
    return response;
  }

  // As Greengrass's PutCertificateAuthorities.
  [[nodiscard]] HttpResponse authorities(const std::string& thing) const {
    require_method(request_, "PUT");
    require_own(thing, "the certificate authorities");
    if (options_.core_trust == nullptr) {
      throw Error(ErrorCode::not_found, "there is nothing at " + request_.path);
    }
    audit_.set_operation("greengrass", "PutCertificateAuthorities", control::AuditAccess::write);
    audit_.begin();
    options_.core_trust->set_authorities(thing, fleet::read_authorities(read_body(request_)));
    audit_.succeeded();
    return json_response(200, json::object{});
  }

  [[nodiscard]] HttpResponse resolve() {
    require_method(request_, "POST");
    const std::string thing = device();
    const fleet::ResolveRequest wanted = fleet::read_resolve_request(read_body(request_));
    const auto runtime = wanted.platform.find("runtime");
    const bool is_lite =
        runtime != wanted.platform.end() && runtime->second == recipe::kLiteRuntime;
    std::vector<fleet::ResolvedVersion> resolved;
    for (const fleet::ComponentCandidate& candidate : wanted.candidates) {
      if (!control_.access.may_resolve(thing, candidate.name)) {
        throw Error(ErrorCode::permission_denied,
                    "no deployment for \"" + thing + "\" holds component " + candidate.name);
      }
      const control::ComponentVersion found =
          control_.components.resolve(candidate, wanted.platform);
      control_.access.grant(thing, found.summary.name, found.summary.version);
      resolved.push_back(is_lite ? as_resolved_for_lite(found, wanted.platform)
                                 : as_resolved(found));
    }
    return json_response(200, fleet::make_resolve_answer(resolved));
  }

  [[nodiscard]] HttpResponse artifact(const std::string& arn, const std::string& name) const {
    require_method(request_, "GET");
    const std::string thing = device();
    const auto ref = fleet::parse_component_arn(arn);
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
    std::string url = options_.endpoints.https_url() + std::string(kBlobs) + found->sha256 +
                      "?artifact=" + base::percent_encode(name);
    // Our own agent shows its certificate; a nucleus of Greengrass shows none.
    const auto core = control_.core_devices.find(thing);
    if (core && core->runtime != kOwnRuntime) {
      url += "&" + links_.query_for(found->sha256, thing, clock_.now());
    }
    return json_response(200, fleet::make_artifact_answer(url));
  }

  [[nodiscard]] HttpResponse blob(const std::string& sha256) const {
    if (request_.method != "HEAD") require_method(request_, "GET");
    const std::string thing = reader_of(control_, links_, request_, clock_.now());
    name_caller(thing);
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

  // What comes of it the service records.
  [[nodiscard]] Caller device_caller() const {
    const std::string thing = device();
    return {
        .access_key_id = {},
        .principal = "thing/" + thing,
        .account_id = control_.arns.account(),
        .region = control_.arns.region(),
        .source_ip = address_of(request_),
        .user_agent = std::string(request_.headers.find("User-Agent").value_or("")),
        .is_secure = true,
        .certificate = trust::describe_certificate(*request_.client_certificate_pem).fingerprint};
  }

  [[nodiscard]] HttpResponse credentials(const std::string& role_alias) const {
    require_method(request_, "GET");
    const std::string thing = device();
    begin("AssumeRoleWithCertificate");
    const auto named = request_.headers.find(fleet::kThingNameHeader);
    if (named && *named != thing) {
      throw Error(
          ErrorCode::permission_denied,
          "\"" + thing + "\" may not have the credentials of \"" + std::string(*named) + "\"");
    }
    const TemporaryCredentials made = options_.issue_credentials(
        thing, trust::describe_certificate(*request_.client_certificate_pem).fingerprint,
        role_alias);
    audit_.set_made_key(made.access_key_id);
    audit_.succeeded();
    return json_response(200, to_json(fleet::TemporaryCredentials{
                                  made.access_key_id, made.secret_access_key, made.session_token,
                                  base::to_iso8601(made.expires)}));
  }

  control::ControlPlane& control_;
  store::ObjectStore& objects_;
  const DevicePlaneOptions& options_;
  const ArtifactLinks& links_;
  const base::Clock& clock_;
  HttpRequest& request_;
  CallAudit& audit_;
};

// What a device asks for and does not get, under the name of its path.
CallAudit refusal_of(const DevicePlaneOptions& options, const HttpRequest& request) {
  CallAudit audit(options.audit, control::audit_via::kDevice, base::random_uuid(), request);
  audit.set_operation("andon", "DevicePlane", control::AuditAccess::read);
  audit.set_detail(request.method + " " + request.path);
  return audit;
}

}  // namespace

std::string DeviceEndpoints::https_url() const {
  return fleet::Endpoint{host, https_port}.https_url();
}

DevicePlane::DevicePlane(control::ControlPlane& control, store::ObjectStore& objects,
                         DevicePlaneOptions options)
    : control_(control),
      objects_(objects),
      options_(std::move(options)),
      packages_(options_.packages),
      links_(base::random_bytes(kLinkKeyBytes)) {}

wire::HttpAdmission DevicePlane::admit(const HttpRequest& head) {
  const std::string_view path = head.path;
  if (packages_.has(path)) return {std::nullopt, 0};
  const DeviceService* service = is_own_path(path) ? nullptr : service_of(options_, head);
  if (!is_own_path(path) && service == nullptr) return options_.admit_s3(head);
  // An enrolment token, or a certificate that is over, is in the body.
  if (path == fleet::kEnrolPath || path == fleet::kRenewPath) {
    return {std::nullopt, kMaxEnrolmentBytes};
  }
  try {
    if (path.starts_with(kBlobs)) {
      (void)reader_of(control_, links_, head, clock_.now());
    } else {
      (void)device_of(control_, head);
    }
  } catch (const Error& error) {
    CallAudit audit = refusal_of(options_, head);
    audit.failed(base::http_status(error.code()), exception_name(error.code()));
    audit.record();
    return {error_response(error), 0};
  }
  if (service != nullptr && service->admit) return service->admit(head);
  return {std::nullopt, kMaxBodyBytes};
}

HttpResponse DevicePlane::handle(HttpRequest& request) {
  CallAudit audit = refusal_of(options_, request);
  try {
    if (packages_.has(request.path)) return packages_.answer(request);
    HttpResponse response =
        Exchange(control_, objects_, options_, links_, clock_, request, audit).answer();
    audit.record();
    return response;
  } catch (const Error& error) {
    if (!audit.was_recorded()) {
      audit.failed(base::http_status(error.code()), exception_name(error.code()));
      try {
        audit.record();
      } catch (const Error& unrecorded) {
        return error_response(unrecorded);
      }
    }
    if (error.code() == ErrorCode::permission_denied) {
      base::log_warning(
          "device refused",
          {{"path", request.path}, {"peer", request.peer_address}, {"reason", error.message()}});
    }
    if (error.code() != ErrorCode::internal) return error_response(error);
    base::log_error("device request failed", {{"path", request.path}, {"error", error.message()}});
  } catch (const std::exception& error) {
    base::log_error("device request failed", {{"path", request.path}, {"error", error.what()}});
  }
  return error_response(Error(ErrorCode::internal, "a defect of the server: see its log"));
}

}  // namespace andon::api
