// SPDX-License-Identifier: Apache-2.0
// Buses, rules and targets as they are kept: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::events {

namespace json = base::json;

inline constexpr std::string_view kDefaultBus = "default";

struct Bus {
  std::string name;
  std::string description;
  base::Timestamp created;
  base::Timestamp modified;
};

struct Rule {
  std::string bus = std::string(kDefaultBus);
  std::string name;
  std::string description;
  bool is_enabled = true;
  std::string pattern;   // empty: none
  std::string schedule;  // empty: none
  std::string role;      // empty: none
  base::Timestamp created;
};

// How long and how often something is tried.
struct RetryPolicy {
  std::chrono::seconds most_age{86'400};
  std::int64_t most_attempts = 185;  // after the first
};
// RetryPolicy of a target in AWS's terms; what is absent stays as it is.
[[nodiscard]] RetryPolicy retry_policy(const json::object& target);

// ARNs with the server's region and account.
class EventArns {
 public:
  EventArns(std::string region, std::string account)
      : region_(std::move(region)), account_(std::move(account)) {}
  [[nodiscard]] std::string bus(std::string_view name) const;
  [[nodiscard]] std::string rule(std::string_view bus, std::string_view name) const;
  [[nodiscard]] std::string api_destination(std::string_view name, std::string_view id) const;
  [[nodiscard]] std::string schedule(std::string_view group, std::string_view name) const;
  [[nodiscard]] std::string schedule_group(std::string_view name) const;
  [[nodiscard]] std::string topic_rule(std::string_view name) const;
  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] const std::string& account() const { return account_; }

 private:
  [[nodiscard]] std::string make(std::string_view service, const std::string& resource) const;
  std::string region_;
  std::string account_;
};

// The bus that a name or an ARN names; what is neither is a name that nobody has.
[[nodiscard]] std::string bus_name(std::string_view name_or_arn);

}  // namespace andon::events
