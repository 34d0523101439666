// SPDX-License-Identifier: Apache-2.0
// What a core device and its client devices must know of each other to trust each other: the CAs
// that the core device signs its broker's certificates with, and the certificates of its client
// devices. Any thread; each call is one transaction.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class CoreTrust {
 public:
  // The tables of ClientDevices must be there.
  CoreTrust(store::Database& database, const base::Clock& clock)
      : database_(database), clock_(clock) {}

  // Replaces them. not_found for an unknown thing, invalid_argument for what is no certificate.
  void set_authorities(const std::string& core, const std::vector<std::string>& certificates);
  // PEM; none where the core device has not told any.
  [[nodiscard]] std::vector<std::string> authorities(const std::string& core) const;

  // Each thing that is associated with the core device, with the ids of its certificates that may
  // be used now. not_found for an unknown core device.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> clients_of(
      const std::string& core) const;

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
