// SPDX-License-Identifier: Apache-2.0
// Role aliases of IoT: by which name a device asks for which role's credentials, for how long, and
// which things may. Any thread; each call is one transaction. Errors name the alias: not_found,
// already_exists, resource_exhausted, invalid_argument.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct RoleAlias {
  std::string name;
  std::string role_arn;
  std::chrono::seconds duration{3600};  // of the credentials
  base::Timestamp created;
  base::Timestamp updated;
};

class RoleAliases {
 public:
  RoleAliases(store::Database& database, const base::Clock& clock)
      : database_(database), clock_(clock) {}

  static constexpr std::chrono::seconds kShortest{900};
  static constexpr std::chrono::seconds kLongest{43'200};
  static constexpr std::int64_t kMost = 1000;
  static constexpr std::int64_t kMostOfThing = 10;

  RoleAlias create(const std::string& name, const std::string& role_arn,
                   std::chrono::seconds duration);
  [[nodiscard]] std::optional<RoleAlias> find(const std::string& name) const;
  [[nodiscard]] RoleAlias require(const std::string& name) const;
  void update(const std::string& name, const std::optional<std::string>& role_arn,
              std::optional<std::chrono::seconds> duration);
  void remove(const std::string& name);
  enum class Order : std::uint8_t { descending, ascending };  // by name
  [[nodiscard]] Page<std::string> list(const PageRequest& page, Order order) const;

  // Lets a thing take it, and makes it the one that the thing is told of.
  void give(const std::string& name, const std::string& thing);
  [[nodiscard]] std::optional<std::string> given_to(const std::string& thing) const;
  [[nodiscard]] bool may_take(const std::string& name, const std::string& thing) const;

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
