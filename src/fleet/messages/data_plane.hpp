// SPDX-License-Identifier: Apache-2.0
// What a device asks of its server over HTTPS and what it is answered, as Greengrass's data plane
// and AWS IoT's credential provider have it: paths, questions, answers. Readers throw
// invalid_argument naming the member that is wrong. Values; pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/messages/limits.hpp"

namespace andon::fleet {

// Names the device in a question for credentials.
inline constexpr std::string_view kThingNameHeader = "x-amzn-iot-thingname";

inline constexpr std::string_view kResolvePath = "/greengrass/v2/resolveComponentCandidates";
[[nodiscard]] std::string thing_groups_path(std::string_view thing);
[[nodiscard]] std::string artifact_path(std::string_view component_version_arn,
                                        std::string_view artifact);
[[nodiscard]] std::string credentials_path(std::string_view role_alias);
[[nodiscard]] std::string discovery_path(std::string_view thing);
[[nodiscard]] std::string connectivity_path(std::string_view thing);
[[nodiscard]] std::string client_devices_path(std::string_view thing);
[[nodiscard]] std::string authorities_path(std::string_view thing);

struct ArtifactRef {
  std::string component_version_arn;
  std::string artifact;
};
// What the paths name, decoded; nothing for other paths and for what is not percent-encoded
// correctly. The path has no query.
[[nodiscard]] std::optional<std::string> thing_of_groups_path(std::string_view path);
[[nodiscard]] std::optional<ArtifactRef> artifact_of_path(std::string_view path);
[[nodiscard]] std::optional<std::string> role_alias_of_path(std::string_view path);
[[nodiscard]] std::optional<std::string> thing_of_discovery_path(std::string_view path);
[[nodiscard]] std::optional<std::string> thing_of_connectivity_path(std::string_view path);
[[nodiscard]] std::optional<std::string> thing_of_client_devices_path(std::string_view path);
[[nodiscard]] std::optional<std::string> thing_of_authorities_path(std::string_view path);

// Which version of a component shall it be?
struct ComponentCandidate {
  std::string name;
  std::optional<std::string> local_version;         // kept where it fits
  std::map<std::string, std::string> requirements;  // who asks -> range
};
struct ResolveRequest {
  std::vector<ComponentCandidate> candidates;
  std::map<std::string, std::string> platform;
};
[[nodiscard]] json::object to_json(const ResolveRequest& request);
[[nodiscard]] ResolveRequest read_resolve_request(const json::object& object);

struct ResolvedVersion {
  std::string arn;
  std::string name;
  std::string version;
  std::string recipe;  // its text
};
[[nodiscard]] json::object to_json(const ResolvedVersion& version);
[[nodiscard]] json::object make_resolve_answer(const std::vector<ResolvedVersion>& versions);
[[nodiscard]] std::vector<ResolvedVersion> read_resolve_answer(const json::value& answer);

struct ThingGroupRef {
  std::string name;
  std::string arn;
};
// A group that a thing is in, with those above it.
struct ThingGroup {
  ThingGroupRef group;
  std::vector<ThingGroupRef> ancestors;  // root first
};
struct ThingGroups {
  std::vector<ThingGroup> groups;
  std::string next;  // "" on the last page
};
[[nodiscard]] json::object to_json(const ThingGroups& page);
[[nodiscard]] ThingGroups read_thing_groups(const json::value& answer);

[[nodiscard]] json::object make_artifact_answer(std::string_view url);
[[nodiscard]] std::string read_artifact_answer(const json::value& answer);

// What a core device must know of the client devices that are associated with it.
struct ClientDeviceList {
  // Things, and the certificates of each that may be used: SHA-256 of the DER, lower-case hex.
  std::map<std::string, std::vector<std::string>> certificates;
  std::vector<std::string> hosts;  // under which they look for the core device
  friend bool operator==(const ClientDeviceList&, const ClientDeviceList&) = default;
};
// In the question's query: the SHA-256 of the answer that the asker has, as text. Where that would
// be the answer again, it is 304.
inline constexpr std::string_view kKnownListQuery = "known";
[[nodiscard]] json::object to_json(const ClientDeviceList& list);
[[nodiscard]] ClientDeviceList read_client_device_list(const json::value& answer);

// Of a core device, for who connects to it: certificates as PEM, as PutCertificateAuthorities.
inline constexpr std::size_t kMostAuthorities = 3;
[[nodiscard]] json::object authorities_to_json(const std::vector<std::string>& certificates);
[[nodiscard]] std::vector<std::string> read_authorities(const json::value& request);

struct TemporaryCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string expiration;  // ISO 8601
};
[[nodiscard]] json::object to_json(const TemporaryCredentials& credentials);
[[nodiscard]] TemporaryCredentials read_credentials(const json::value& answer);

}  // namespace andon::fleet
