// SPDX-License-Identifier: Apache-2.0
#include "control/discovery/core_trust.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/messages/data_plane.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {

void CoreTrust::set_authorities(const std::string& core,
                                const std::vector<std::string>& certificates) {
  for (const std::string& one : certificates) (void)trust::describe_certificate(one);
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, core);
    tx.execute(
        "INSERT INTO core_authorities (core, certificates, updated_ms) VALUES ($1, $2, $3) "
        "ON CONFLICT (core) DO UPDATE SET certificates = excluded.certificates, "
        "updated_ms = excluded.updated_ms",
        {core, base::to_text(fleet::authorities_to_json(certificates)), to_stored(clock_.now())});
  });
}

std::vector<std::string> CoreTrust::authorities(const std::string& core) const {
  std::vector<std::string> found;
  database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one("SELECT certificates FROM core_authorities WHERE core = $1", {core});
    if (row) found = fleet::read_authorities(base::parse_json(row->text(0), "core_authorities"));
  });
  return found;
}

std::map<std::string, std::vector<std::string>> CoreTrust::clients_of(
    const std::string& core) const {
  std::map<std::string, std::vector<std::string>> clients;
  database_.read([&](store::Transaction& tx) {
    clients.clear();
    require_thing(tx, core);
    for (const store::Row& row :
         tx.query("SELECT d.thing, c.id FROM client_devices d LEFT JOIN certificates c "
                  "ON c.thing = d.thing AND c.status = 'ACTIVE' AND c.not_after_ms > $2 "
                  "WHERE d.core = $1 ORDER BY d.thing, c.id",
                  {core, to_stored(clock_.now())})) {
      std::vector<std::string>& certificates = clients[row.text(0)];
      if (const auto id = row.optional_text(1)) certificates.push_back(*id);
    }
  });
  return clients;
}

}  // namespace andon::control
