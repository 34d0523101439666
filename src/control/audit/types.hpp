// SPDX-License-Identifier: Apache-2.0
// What the audit log says of one call, and what is asked about it: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"

namespace andon::control {

enum class AuditAccess : std::uint8_t { read, write };
enum class AuditOutcome : std::uint8_t { ok, denied, error };

[[nodiscard]] std::string_view to_string(AuditAccess access);    // "read"
[[nodiscard]] std::string_view to_string(AuditOutcome outcome);  // "denied"

// By which door a call came.
namespace audit_via {
inline constexpr std::string_view kApi = "api";
inline constexpr std::string_view kDevice = "device";      // the device plane
inline constexpr std::string_view kBroker = "broker";      // MQTT
inline constexpr std::string_view kWorkflow = "workflow";  // made by a state machine or function
inline constexpr std::string_view kLocal = "local";        // a command on the data directory
inline constexpr std::string_view kServer = "server";      // the server itself
}  // namespace audit_via

// Texts from outside are cut and made UTF-8 when it is recorded. Nothing of an input but names, and
// what was decided of a model.
struct AuditEvent {
  base::Timestamp time;       // when it began
  std::string via;            // audit_via
  std::string principal;      // "user/<id>", "operator", "thing/<name>", "local/<user>"; empty: who
                              // asked is not known, and accessKeyId is only what was claimed
  std::string name;           // as people know it: the user's, role's or thing's name; "root"
  std::string principal_arn;  // where it has one
  std::string session;        // of a role
  std::string access_key_id;
  std::string address;
  std::string user_agent;
  std::string region;
  std::string service;    // "greengrass"
  std::string operation;  // "CreateDeployment"
  AuditAccess access = AuditAccess::write;
  std::vector<std::string> resources;  // ARNs
  AuditOutcome outcome = AuditOutcome::ok;
  std::string error_code;  // "ValidationException"
  std::string request_id;
  std::string made_access_key_id;  // that the call gave out
  std::string decision;     // "Approved: as good as the old one": of a model, with the reason
  std::string detail;       // a few words of our own: which broker topic, which file
  std::uint64_t count = 1;  // of calls that it stands for
};

// As it is kept. `content` is the JSON text that the hash covers, to the byte.
struct AuditEntry {
  std::int64_t sequence = 0;
  AuditEvent event;
  std::string content;
  std::string hash;  // hex

  // Found again by it: it holds the sequence and the beginning of the hash.
  [[nodiscard]] std::string event_id() const;
};

struct AuditLimits {
  std::chrono::days keep{365};
  std::int64_t total_bytes = 1LL << 30U;
  std::size_t waiting = 10'000;              // entries that are not on the disk yet
  std::chrono::milliseconds gathering{500};  // how long one that nobody waits for may wait
};

// Empty texts: any.
struct AuditFilter {
  std::string who;  // name or principal
  std::string service;
  std::string operation;
  std::string resource;
  std::string access_key_id;
  std::optional<AuditOutcome> outcome;
  std::optional<AuditAccess> access;
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();  // itself outside
};

struct AuditPlace {
  std::int64_t time_ms = 0;
  std::int64_t sequence = 0;
};

enum class AuditOrder : std::uint8_t { newest_first, as_they_came };

struct AuditRead {
  AuditFilter filter;
  AuditOrder order = AuditOrder::newest_first;
  std::optional<AuditPlace> place;  // after which to go on
  std::size_t limit = 50;
};

struct AuditPage {
  std::vector<AuditEntry> entries;
  std::optional<AuditPlace> next;  // where there may be more; the entries may be none even so
};

struct KeyUse {
  base::Timestamp time;
  std::string service;
  std::string region;
};

}  // namespace andon::control
