// SPDX-License-Identifier: Apache-2.0
// Room: discovery. Which client devices (things that speak to a core device and not to the server)
// belong to which core devices, and where those can be reached; and the role that the account gives
// to Greengrass. What a client device discovers is put together from here. Any thread; each call is
// one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct ClientDevice {
  std::string thing;
  base::Timestamp since;
};

// Why one of several was left out; the others are done.
struct AssociationProblem {
  std::string thing;
  std::string code;  // of AWS's errors
  std::string message;
};

struct CoreEndpoint {
  std::string id;
  std::string host;
  std::int64_t port = 0;  // 0: none is said
  std::string metadata;
};

struct ServiceRole {
  std::string arn;
  base::Timestamp since;
};

class ClientDevices {
 public:
  static constexpr std::int64_t kMostOfACore = 10'000;
  static constexpr std::size_t kMostInARequest = 100;
  static constexpr std::size_t kMostEndpoints = 50;

  // Brings the schema up to date; the control plane's tables must be there.
  ClientDevices(store::Database& database, const base::Clock& clock);

  // not_found for an unknown core device; invalid_argument for more than kMostInARequest things.
  // One that is associated already stays as it is.
  std::vector<AssociationProblem> associate(const std::string& core,
                                            const std::vector<std::string>& things);
  std::vector<AssociationProblem> disassociate(const std::string& core,
                                               const std::vector<std::string>& things);
  [[nodiscard]] Page<ClientDevice> list(const std::string& core, const PageRequest& page) const;
  // Of one client device, by name.
  [[nodiscard]] std::vector<std::string> cores_of(const std::string& thing) const;

  // Replaces them; the version that they have now. not_found, invalid_argument.
  std::int64_t set_endpoints(const std::string& core, const std::vector<CoreEndpoint>& endpoints);
  // not_found for an unknown thing; none where nobody has said any.
  [[nodiscard]] std::vector<CoreEndpoint> endpoints(const std::string& core) const;

  base::Timestamp set_service_role(const std::string& arn);
  [[nodiscard]] std::optional<ServiceRole> service_role() const;
  base::Timestamp remove_service_role();  // also where there is none

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
