// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/data_plane.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::string_view kDevices = "/greengrass/v2/coreDevices/";
constexpr std::string_view kGroups = "/thingGroups";
constexpr std::string_view kComponents = "/greengrass/v2/components/";
constexpr std::string_view kArtifacts = "/artifacts/";
constexpr std::string_view kRoleAliases = "/role-aliases/";
constexpr std::string_view kCredentials = "/credentials";
constexpr std::string_view kDiscovery = "/greengrass/discover/thing/";
constexpr std::string_view kThings = "/greengrass/things/";
constexpr std::string_view kConnectivity = "/connectivityInfo";
constexpr std::string_view kClientDevices = "/clientDevices";
constexpr std::string_view kAuthorities = "/certificateAuthorities";
constexpr std::size_t kMostClientDevices = 10'000;
constexpr std::size_t kMostCertificatesOfOne = 100;
constexpr std::size_t kMostHosts = 50;
constexpr std::size_t kMostHostBytes = 1024;
constexpr std::size_t kMostAuthorityBytes = 32U << 10U;
constexpr std::size_t kFingerprintBytes = 64;
constexpr std::size_t kMaxCandidates = 100;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

// As AWS IoT has them.
bool is_thing_name(std::string_view name) {
  constexpr std::size_t kMostBytes = 128;
  return name.size() <= kMostBytes && base::is_name_of(name, ":_-");
}

std::string around(std::string_view prefix, std::string_view name, std::string_view suffix) {
  std::string path(prefix);
  return path.append(base::percent_encode(name)).append(suffix);
}

// What stands between, decoded.
std::optional<std::string> between(std::string_view path, std::string_view prefix,
                                   std::string_view suffix) {
  if (!path.starts_with(prefix) || !path.ends_with(suffix) ||
      path.size() <= prefix.size() + suffix.size()) {
    return std::nullopt;
  }
  return base::percent_decode(
      path.substr(prefix.size(), path.size() - prefix.size() - suffix.size()));
}

json::object to_object(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [key, value] : texts) object[key] = value;
  return object;
}

std::map<std::string, std::string> read_text_map(const JsonReader& reader, std::string_view key) {
  std::map<std::string, std::string> texts;
  const json::object* object = reader.optional_object(key);
  if (object == nullptr) return texts;
  for (const auto& member : *object) {
    if (!member.value().is_string()) {
      const std::string where = reader.where().empty() ? "" : reader.where() + ".";
      refuse(where + std::string(key) + "." + std::string(member.key()) + ": must be text");
    }
    texts.emplace(std::string(member.key()), std::string(member.value().get_string()));
  }
  return texts;
}

json::object to_json(const ThingGroupRef& group) {
  return {{"thingGroupName", group.name}, {"thingGroupArn", group.arn}};
}

ThingGroupRef read_group(const JsonReader& reader) {
  return {reader.string("thingGroupName"), reader.optional_string("thingGroupArn").value_or("")};
}

}  // namespace

std::string thing_groups_path(std::string_view thing) {
  return around(kDevices, thing, kGroups);
}
std::string artifact_path(std::string_view component_version_arn, std::string_view artifact) {
  return around(kComponents, component_version_arn, kArtifacts) + base::percent_encode(artifact);
}
std::string credentials_path(std::string_view role_alias) {
  return around(kRoleAliases, role_alias, kCredentials);
}

std::string discovery_path(std::string_view thing) {
  return around(kDiscovery, thing, "");
}
std::string connectivity_path(std::string_view thing) {
  return around(kThings, thing, kConnectivity);
}

std::optional<std::string> thing_of_discovery_path(std::string_view path) {
  return between(path, kDiscovery, "");
}
std::optional<std::string> thing_of_connectivity_path(std::string_view path) {
  return between(path, kThings, kConnectivity);
}

std::string client_devices_path(std::string_view thing) {
  return around(kThings, thing, kClientDevices);
}
std::string authorities_path(std::string_view thing) {
  return around(kThings, thing, kAuthorities);
}
std::optional<std::string> thing_of_client_devices_path(std::string_view path) {
  return between(path, kThings, kClientDevices);
}
std::optional<std::string> thing_of_authorities_path(std::string_view path) {
  return between(path, kThings, kAuthorities);
}

std::optional<std::string> thing_of_groups_path(std::string_view path) {
  return between(path, kDevices, kGroups);
}

std::optional<ArtifactRef> artifact_of_path(std::string_view path) {
  if (!path.starts_with(kComponents)) return std::nullopt;
  const std::string_view rest = path.substr(kComponents.size());
  const std::size_t at = rest.find(kArtifacts);
  if (at == std::string_view::npos) return std::nullopt;
  const auto arn = base::percent_decode(rest.substr(0, at));
  const auto artifact = base::percent_decode(rest.substr(at + kArtifacts.size()));
  if (!arn || !artifact) return std::nullopt;
  return ArtifactRef{*arn, *artifact};
}

std::optional<std::string> role_alias_of_path(std::string_view path) {
  return between(path, kRoleAliases, kCredentials);
}

json::object to_json(const ResolveRequest& request) {
  json::array candidates;
  for (const ComponentCandidate& candidate : request.candidates) {
    json::object object{{"componentName", candidate.name},
                        {"versionRequirements", to_object(candidate.requirements)}};
    if (candidate.local_version) object["componentVersion"] = *candidate.local_version;
    candidates.push_back(std::move(object));
  }
  return {{"componentCandidates", std::move(candidates)},
          {"platform", {{"name", "linux"}, {"attributes", to_object(request.platform)}}}};
}

ResolveRequest read_resolve_request(const json::object& object) {
  ResolveRequest request;
  const JsonReader reader(object, "");
  if (const json::object* platform = reader.optional_object("platform")) {
    request.platform = read_text_map(JsonReader(*platform, "platform"), "attributes");
  }
  const json::array* candidates = reader.optional_array("componentCandidates");
  if (candidates == nullptr || candidates->empty()) refuse("componentCandidates: is missing");
  if (candidates->size() > kMaxCandidates) refuse("componentCandidates: more than 100");
  for (std::size_t i = 0; i < candidates->size(); ++i) {
    const JsonReader one((*candidates)[i], "componentCandidates[" + std::to_string(i) + "]");
    request.candidates.push_back({one.string("componentName"),
                                  one.optional_string("componentVersion"),
                                  read_text_map(one, "versionRequirements")});
  }
  return request;
}

json::object to_json(const ResolvedVersion& version) {
  return {{"arn", version.arn},
          {"componentName", version.name},
          {"componentVersion", version.version},
          {"recipe", base::to_base64(version.recipe)},
          {"vendorGuidance", "ACTIVE"}};
}

json::object make_resolve_answer(const std::vector<ResolvedVersion>& versions) {
  json::array resolved;
  for (const ResolvedVersion& version : versions) resolved.push_back(to_json(version));
  return {{"resolvedComponentVersions", std::move(resolved)}};
}

std::vector<ResolvedVersion> read_resolve_answer(const json::value& answer) {
  std::vector<ResolvedVersion> versions;
  const json::array* resolved =
      JsonReader(answer, "answer").optional_array("resolvedComponentVersions");
  if (resolved == nullptr) return versions;
  for (std::size_t i = 0; i < resolved->size(); ++i) {
    const JsonReader one((*resolved)[i], "resolvedComponentVersions[" + std::to_string(i) + "]");
    const auto recipe = base::from_base64(one.string("recipe"));
    if (!recipe) refuse(one.where() + ".recipe: is not base64");
    versions.push_back({one.string("arn"), one.optional_string("componentName").value_or(""),
                        one.optional_string("componentVersion").value_or(""), *recipe});
  }
  return versions;
}

json::object to_json(const ThingGroups& page) {
  json::array groups;
  for (const ThingGroup& one : page.groups) {
    json::object group = to_json(one.group);
    json::array ancestors;
    for (const ThingGroupRef& ancestor : one.ancestors) ancestors.push_back(to_json(ancestor));
    if (!ancestors.empty()) group["rootToParentThingGroups"] = std::move(ancestors);
    groups.push_back(std::move(group));
  }
  json::object object{{"thingGroups", std::move(groups)}};
  if (!page.next.empty()) object["nextToken"] = page.next;
  return object;
}

ThingGroups read_thing_groups(const json::value& answer) {
  ThingGroups page;
  const JsonReader reader(answer, "list of groups");
  if (const json::array* groups = reader.optional_array("thingGroups")) {
    for (const json::value& value : *groups) {
      const JsonReader entry(value, "thingGroups[]");
      ThingGroup group{read_group(entry), {}};
      if (const json::array* parents = entry.optional_array("rootToParentThingGroups")) {
        for (const json::value& parent : *parents) {
          group.ancestors.push_back(read_group(JsonReader(parent, "rootToParentThingGroups[]")));
        }
      }
      page.groups.push_back(std::move(group));
    }
  }
  page.next = reader.optional_string("nextToken").value_or("");
  return page;
}

json::object make_artifact_answer(std::string_view url) {
  return {{"preSignedUrl", url}};
}

std::string read_artifact_answer(const json::value& answer) {
  return JsonReader(answer, "artifact address").string("preSignedUrl");
}

json::object to_json(const ClientDeviceList& list) {
  json::array devices;
  for (const auto& [thing, certificates] : list.certificates) {
    devices.push_back(
        json::object{{"thingName", thing},
                     {"certificates", json::array(certificates.begin(), certificates.end())}});
  }
  return {{"clientDevices", std::move(devices)},
          {"hostAddresses", json::array(list.hosts.begin(), list.hosts.end())}};
}

ClientDeviceList read_client_device_list(const json::value& answer) {
  const JsonReader all(answer, "");
  ClientDeviceList list;
  for (const JsonReader& one : all.children("clientDevices")) {
    if (list.certificates.size() >= kMostClientDevices) {
      all.fail("clientDevices", "has more than 10000 client devices");
    }
    const std::string thing = one.required_text("thingName");
    if (!is_thing_name(thing)) one.fail("thingName", "is no name of a thing");
    std::vector<std::string> certificates = one.strings("certificates", kMostCertificatesOfOne);
    for (const std::string& id : certificates) {
      const bool is_hex = id.find_first_not_of("0123456789abcdef") == std::string::npos;
      if (id.size() != kFingerprintBytes || !is_hex) {
        one.fail("certificates", "must be SHA-256 in lower-case hex");
      }
    }
    list.certificates[thing] = std::move(certificates);
  }
  list.hosts = all.strings("hostAddresses", kMostHosts);
  for (const std::string& host : list.hosts) {
    if (host.empty() || host.size() > kMostHostBytes) {
      all.fail("hostAddresses", "each has 1 to 1024 bytes");
    }
  }
  return list;
}

json::object authorities_to_json(const std::vector<std::string>& certificates) {
  return {{"coreDeviceCertificates", json::array(certificates.begin(), certificates.end())}};
}

std::vector<std::string> read_authorities(const json::value& request) {
  const JsonReader all(request, "");
  std::vector<std::string> certificates =
      all.strings("coreDeviceCertificates", kMostAuthorities + 1);
  if (certificates.empty() || certificates.size() > kMostAuthorities) {
    all.fail("coreDeviceCertificates", "must be 1 to 3 certificates");
  }
  for (const std::string& one : certificates) {
    if (one.size() > kMostAuthorityBytes) {
      all.fail("coreDeviceCertificates", "has one of more than 32 KiB");
    }
  }
  return certificates;
}

json::object to_json(const TemporaryCredentials& credentials) {
  return {{"credentials",
           {{"accessKeyId", credentials.access_key_id},
            {"secretAccessKey", credentials.secret_access_key},
            {"sessionToken", credentials.session_token},
            {"expiration", credentials.expiration}}}};
}

TemporaryCredentials read_credentials(const json::value& answer) {
  const JsonReader reader = JsonReader(answer, "credentials").child("credentials");
  return {reader.string("accessKeyId"), reader.string("secretAccessKey"),
          reader.string("sessionToken"), reader.string("expiration")};
}

}  // namespace andon::fleet
