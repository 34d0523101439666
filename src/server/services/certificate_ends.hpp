// SPDX-License-Identifier: Apache-2.0
// Certificates that end soon: of devices (control/identity says which), and the server's own. Of
// the latter whoever has a rule for it is told once a day (an event "Certificate Ending"); of a
// device's an alarm is raised (control/alarms). Owned by the server. Any thread; tell() from one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/upkeep/upkeep.hpp"
#include "base/time/time.hpp"
#include "events/delivery/event.hpp"
#include "store/sql/database.hpp"

namespace andon::server {

// One of the server's own, by what it is for: "api", "server", "ca".
struct OwnCertificate {
  std::string name;
  std::string pem;
};

class CertificateEnds {
 public:
  static constexpr std::size_t kMost = 1000;
  static constexpr std::chrono::days kToldWithin{14};

  struct Parts {
    store::Database& database;
    const base::Clock& clock;
    std::function<std::vector<OwnCertificate>()> own;
    std::function<void(store::Transaction&, const events::Event&)> accept;
  };
  // The schema is brought up to date.
  explicit CertificateEnds(Parts parts);

  // Those that are over, or end within so many days, the server's own first, then by their end; at
  // most kMost.
  [[nodiscard]] std::vector<api::CertificateEnd> within(std::chrono::days days) const;
  // Of the server's own, whenever they end.
  [[nodiscard]] std::vector<api::CertificateEnd> own() const;

  // An event for each of the server's own that ends within kToldWithin and was not told of for a
  // day.
  void tell();

 private:
  Parts parts_;
};

}  // namespace andon::server
