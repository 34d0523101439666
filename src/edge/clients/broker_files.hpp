// SPDX-License-Identifier: Apache-2.0
// What the broker of client devices is started with, on the disk: below config/ the device's own
// CA for client devices and the agent's certificate as a client of its broker (the agent's alone);
// in client-devices/ what mosquitto reads: its configuration, its certificate, the CAs of clients,
// and who may connect and do what (broker/view). All of it is made where it is missing or due, and
// is the same again after a crash; the CA is kept. Any thread; blocks.
#pragma once

#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "edge/clients/client_settings.hpp"
#include "edge/state/layout.hpp"
#include "fleet/messages/data_plane.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::edge {

// Who answers at the broker's TLS listener.
struct IssuedCertificate {
  std::string certificate_pem;
  std::string private_key_pem;
};

class BrokerFiles {
 public:
  explicit BrokerFiles(const Layout& layout) : layout_(layout) {}

  struct Wish {
    ClientAuthSettings auth;
    ClientBrokerSettings broker;
    fleet::ClientDeviceList clients;
    std::vector<std::string> hosts;  // under which this device is reached
    std::string component_user;      // of components for which nobody names one
    base::Timestamp now;
  };
  struct Prepared {
    std::string authority_pem;
    // Of all that mosquitto takes notice of at its start alone.
    std::string digest;
    base::Timestamp rotates_at;
  };
  // Throws failed_precondition where mosquitto or its module is not installed.
  [[nodiscard]] Prepared prepare(const Wish& wish) const;

  // The device's own CA; made where it is missing or over.
  [[nodiscard]] trust::CertificateAuthority authority(base::Timestamp now) const;
  // For a broker that is a component.
  [[nodiscard]] IssuedCertificate issue(const Wish& wish) const;
  [[nodiscard]] std::vector<std::string> authorities() const;  // PEM, of the device

  [[nodiscard]] fs::path authority_file() const { return layout_.config() / "client-ca.crt"; }
  [[nodiscard]] fs::path agent_certificate() const {
    return layout_.config() / "client-broker-agent.crt";
  }
  [[nodiscard]] fs::path agent_key() const { return layout_.config() / "client-broker-agent.key"; }
  [[nodiscard]] fs::path list_file() const { return layout_.config() / "client-devices.json"; }
  // Prepared::digest that the mosquitto which runs was started with.
  [[nodiscard]] fs::path started_file() const { return directory() / "started"; }

 private:
  [[nodiscard]] fs::path directory() const { return layout_.root() / "client-devices"; }
  [[nodiscard]] trust::CertificateInfo ensure_server(const trust::CertificateAuthority& authority,
                                                     const Wish& wish) const;
  [[nodiscard]] trust::CertificateInfo ensure_agent(const trust::CertificateAuthority& authority,
                                                    base::Timestamp now) const;

  Layout layout_;
};

// The lines of the broker's view: the agent, which may everything, and who of the client devices is
// in a group. Pure.
[[nodiscard]] std::string client_view(const DeviceGroups& groups,
                                      const fleet::ClientDeviceList& clients,
                                      const std::string& agent_fingerprint);

}  // namespace andon::edge
