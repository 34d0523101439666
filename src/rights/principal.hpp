// SPDX-License-Identifier: Apache-2.0
// Who a client of the broker is, and what is known of it for its policies. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace andon::rights {

enum class PrincipalKind : std::uint8_t {
  thing,     // a device: its own topics, under its own name, and what its policies allow
  client,    // a certificate or a user of no thing: what its policies allow
  claim,     // a certificate that a device is provisioned with: that, and nothing else
  consumer,  // the operator's programs: every topic, any client id that is no thing's
  server,    // andon-server itself
};

// The holder of a certificate, or of a user's name and password, that may connect.
struct Principal {
  PrincipalKind kind = PrincipalKind::thing;
  // Of the thing, the consumer, or the template of a claim; else the certificate's id or CN.
  std::string name;
  std::vector<std::string> policies = {};         // names of IoT policies, without repetition
  std::map<std::string, std::string> facts = {};  // what its policies' keys stand for
  friend bool operator==(const Principal&, const Principal&) = default;
};

}  // namespace andon::rights
