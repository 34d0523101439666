// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/broker_files.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "broker/settings/mosquitto.hpp"
#include "broker/view/view.hpp"
#include "edge/process/run_as.hpp"
#include "edge/state/device_config.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using std::chrono::days;

constexpr unsigned kOwnFile = 0600;
constexpr days kAuthorityLifetime{10 * 365};
constexpr days kAgentLifetime{365};
constexpr days kRenewBefore{30};  // the two above
constexpr days kRotateBefore{1};  // the broker's, as Greengrass does
constexpr std::chrono::hours kClockTolerance{1};
constexpr std::size_t kBrokerMemory = 256U << 20U;
constexpr std::string_view kAgentName = "andon-edge";
// Whom mosquitto becomes where root has started it; Debian's package makes that user.
constexpr std::string_view kBrokerUser = "mosquitto";

// What mosquitto reads is its group's where it is another user than the agent.
struct BrokerUser {
  std::string name;
  std::optional<RunAs> who;
};
BrokerUser broker_user(const BrokerFiles::Wish& wish) {
  if (is_privileged(resolve_run_as(wish.component_user))) return {broker::own_user(), {}};
  if (geteuid() != 0) return {broker::own_user(), {}};
  const RunAs found = resolve_run_as(kBrokerUser);
  return {std::string(kBrokerUser), found};
}

void make_directory(const fs::path& directory, const BrokerUser& user) {
  constexpr unsigned kOwn = 0700;
  constexpr unsigned kOfGroup = 02750;  // what is written into it is the group's, too
  base::make_directories(directory, user.who ? kOfGroup : kOwn);
  if (!user.who) return;
  if (chown(directory.c_str(), static_cast<uid_t>(-1), user.who->group.value_or(0)) != 0) {
    throw base::system_error("cannot give " + directory.string() + " to the broker's group", errno);
  }
  const std::string closed = closed_directory(directory.string(), *user.who);
  if (closed.empty()) return;
  throw base::Error(base::ErrorCode::failed_precondition,
                    "the broker runs as user mosquitto, who cannot enter " + closed +
                        ": let others enter it (chmod o+x), or keep the device's root elsewhere");
}

void put(const fs::path& file, const std::string& content, unsigned mode) {
  if (base::read_file_if_exists(file) == content) return;
  base::write_file_atomically(file, content, mode);
}

bool is_address(const std::string& name) {
  in6_addr bytes{};
  return inet_pton(AF_INET, name.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &bytes) == 1;
}

trust::CertificateRequest server_request(const BrokerFiles::Wish& wish) {
  std::set<std::string> addresses{"127.0.0.1", "::1"};
  std::set<std::string> names{"localhost"};
  for (const auto* list : {&wish.hosts, &wish.clients.hosts}) {
    for (const std::string& host : *list) (is_address(host) ? addresses : names).insert(host);
  }
  return {.common_name = "andon client devices",
          .use = trust::CertificateUse::server,
          .dns_names = {names.begin(), names.end()},
          .ip_addresses = {addresses.begin(), addresses.end()},
          .not_before = wish.now - kClockTolerance,
          .lifetime = std::chrono::duration_cast<days>(wish.auth.certificate_lifetime)};
}

IssuedCertificate sign(const trust::CertificateAuthority& authority,
                       const trust::CertificateRequest& request) {
  std::string key = trust::make_private_key();
  const std::string csr = trust::make_csr(key, request.common_name);
  return {trust::sign_csr(authority, csr, request), std::move(key)};
}

// The certificate of the pair on the disk, where it is good still.
std::optional<trust::CertificateInfo> usable(const fs::path& certificate_file,
                                             const fs::path& key_file,
                                             const std::string& authority_pem,
                                             base::Timestamp now) {
  const auto certificate = base::read_file_if_exists(certificate_file);
  const auto key = base::read_file_if_exists(key_file);
  if (!certificate || !key) return std::nullopt;
  try {
    if (!trust::is_key_of(*key, *certificate)) return std::nullopt;
    if (!trust::is_signed_by(*certificate, authority_pem, now)) return std::nullopt;
    return trust::describe_certificate(*certificate);
  } catch (const base::Error&) {
    return std::nullopt;  // made anew
  }
}

// An address that has gone is no reason for another certificate.
bool has_all(const std::vector<std::string>& names, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(wanted, [&names](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  });
}

}  // namespace

trust::CertificateAuthority BrokerFiles::authority(base::Timestamp now) const {
  const fs::path key_file = layout_.config() / "client-ca.key";
  const auto certificate = base::read_file_if_exists(authority_file());
  const auto key = base::read_file_if_exists(key_file);
  if (certificate && key) {
    const auto found = usable(authority_file(), key_file, *certificate, now);
    if (found && found->not_after > now + kRenewBefore) return {*certificate, *key};
  }
  base::log_info("making this device's CA for client devices",
                 {{"file", authority_file().string()}});
  trust::CertificateAuthority made = trust::make_certificate_authority(
      "andon client devices CA", now - kClockTolerance, kAuthorityLifetime);
  base::write_file_atomically(key_file, made.private_key_pem, kOwnFile);
  base::write_file_atomically(authority_file(), made.certificate_pem);
  return made;
}

std::vector<std::string> BrokerFiles::authorities() const {
  return {base::read_file(authority_file())};
}

IssuedCertificate BrokerFiles::issue(const Wish& wish) const {
  return sign(authority(wish.now), server_request(wish));
}

trust::CertificateInfo BrokerFiles::ensure_server(const trust::CertificateAuthority& authority,
                                                  const Wish& wish) const {
  constexpr unsigned kOfGroup = 0640;
  const fs::path certificate_file = directory() / "server.crt";
  const fs::path key_file = directory() / "server.key";
  const trust::CertificateRequest wanted = server_request(wish);
  const auto found = usable(certificate_file, key_file, authority.certificate_pem, wish.now);
  if (found && has_all(found->dns_names, wanted.dns_names) &&
      has_all(found->ip_addresses, wanted.ip_addresses) &&
      (!wish.auth.is_rotated || found->not_after > wish.now + kRotateBefore)) {
    return *found;
  }
  const IssuedCertificate issued = sign(authority, wanted);
  base::write_file_atomically(key_file, issued.private_key_pem, kOfGroup);
  base::write_file_atomically(certificate_file, issued.certificate_pem, kOfGroup);
  return trust::describe_certificate(issued.certificate_pem);
}

trust::CertificateInfo BrokerFiles::ensure_agent(const trust::CertificateAuthority& authority,
                                                 base::Timestamp now) const {
  const auto found = usable(agent_certificate(), agent_key(), authority.certificate_pem, now);
  if (found && found->not_after > now + kRenewBefore) return *found;
  const IssuedCertificate issued = sign(authority, {.common_name = std::string(kAgentName),
                                                    .use = trust::CertificateUse::client,
                                                    .not_before = now - kClockTolerance,
                                                    .lifetime = kAgentLifetime});
  base::write_file_atomically(agent_key(), issued.private_key_pem, kOwnFile);
  base::write_file_atomically(agent_certificate(), issued.certificate_pem);
  return trust::describe_certificate(issued.certificate_pem);
}

BrokerFiles::Prepared BrokerFiles::prepare(const Wish& wish) const {
  constexpr unsigned kOfGroup = 0640;
  static_cast<void>(broker::find_mosquitto());
  const BrokerUser user = broker_user(wish);
  broker::MosquittoSettings settings{.module = broker::find_broker_module(),
                                     .view_file = directory() / "view",
                                     .user = user.name,
                                     .address = wish.broker.address,
                                     .port = wish.broker.port,
                                     .ca_file = directory() / "ca.crt",
                                     .certificate_file = directory() / "server.crt",
                                     .private_key_file = directory() / "server.key",
                                     .memory_bytes = kBrokerMemory};
  make_directory(directory(), user);
  const trust::CertificateAuthority own = authority(wish.now);
  const trust::CertificateInfo server = ensure_server(own, wish);
  const trust::CertificateInfo agent = ensure_agent(own, wish.now);
  // Client devices have certificates of the server, the agent has one of this device's own CA.
  const std::string authorities = base::read_file(ca_file(layout_)) + "\n" + own.certificate_pem;
  const std::string configuration = broker::mosquitto_configuration(settings);
  put(settings.ca_file, authorities, kOfGroup);
  put(directory() / "mosquitto.conf", configuration, kOfGroup);
  put(settings.view_file, client_view(wish.auth.groups, wish.clients, agent.fingerprint), kOfGroup);
  return {own.certificate_pem, trust::sha256_hex(configuration + authorities + server.fingerprint),
          wish.auth.is_rotated ? server.not_after - kRotateBefore : server.not_after};
}

std::string client_view(const DeviceGroups& groups, const fleet::ClientDeviceList& clients,
                        const std::string& agent_fingerprint) {
  std::string lines = to_line(broker::SetRealm{std::string(kLocalRealm)});
  std::map<std::string, std::string> names;  // the view's, of the policies
  for (const auto& [policy, document] : groups.iot_policies()) {
    const std::string name = "p" + std::to_string(names.size());
    names[policy] = name;
    lines += to_line(broker::SetPolicy{name, document});
  }
  lines += to_line(broker::AllowCertificate{
      agent_fingerprint, {.kind = broker::PrincipalKind::server, .name = std::string(kAgentName)}});
  for (const auto& [thing, certificates] : clients.certificates) {
    broker::Principal principal{.kind = broker::PrincipalKind::client,
                                .name = thing,
                                .facts = {{std::string(kThingNameFact), thing}}};
    for (const std::string& policy : groups.policies_of(thing)) {
      principal.policies.push_back(names.at(policy));
    }
    if (principal.policies.empty()) continue;  // in no group
    for (const std::string& id : certificates) {
      lines += to_line(broker::AllowCertificate{id, principal});
    }
  }
  return lines;
}

}  // namespace andon::edge
