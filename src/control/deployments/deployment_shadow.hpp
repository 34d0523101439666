// SPDX-License-Identifier: Apache-2.0
// The named shadow AWSManagedGreengrassV2Deployment: how classic Greengrass devices get and report
// a deployment for one thing. It and the job of the same deployment close together.
// Any thread; each call is one transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "fleet/messages/shadow_document.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

class Outbox;

// What is answered to a device: the payload of .../accepted, or of .../rejected.
struct ShadowReply {
  bool accepted = true;
  json::object payload;
};

// The stored shadow, within the caller's transaction.
void set_desired_deployment(store::Transaction& tx, const std::string& thing,
                            const std::string& document, fleet::JobStatus wanted,
                            base::Timestamp now);
// Nothing where `thing` has no shadow.
void set_reported_status(store::Transaction& tx, const std::string& thing,
                         const fleet::ShadowReport& report, base::Timestamp now);
// {"state": {...}, "version", "timestamp"}.
[[nodiscard]] std::optional<json::object> read_shadow(store::Transaction& tx,
                                                      const std::string& thing,
                                                      base::Timestamp now);

class DeploymentShadow {
 public:
  DeploymentShadow(store::Database& database, Outbox& outbox, const base::Clock& clock);

  // Rejected with code 404 where there is none.
  [[nodiscard]] ShadowReply get(const std::string& thing, const json::object& request) const;
  // Merges state.reported; rejected with 409 for another version than the stored one, 400 for what
  // is malformed. A final status in it ends the device's job.
  [[nodiscard]] ShadowReply update(const std::string& thing, const json::object& request);

 private:
  store::Database& database_;
  Outbox& outbox_;
  const base::Clock& clock_;
};

}  // namespace andon::control
