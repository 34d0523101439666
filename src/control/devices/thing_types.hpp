// SPDX-License-Identifier: Apache-2.0
// Thing types, as AWS IoT has them: what kind of device a thing is. One that is deprecated stays
// with the things that have it and is given to no other. Any thread; each call is one transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct ThingType {
  std::string name;
  std::string id;
  std::string arn;
  std::string description;
  std::vector<std::string> searchable_attributes;
  std::optional<base::Timestamp> deprecated;
  base::Timestamp created;
};

// Throws not_found for an unknown type, invalid_argument for a deprecated one; "" is no type.
void require_usable_type(store::Transaction& tx, const std::string& name);

class ThingTypes {
 public:
  static constexpr std::int64_t kMost = 1000;

  ThingTypes(store::Database& database, const base::Clock& clock, Arns arns);

  // The same type again with the same properties is no error, as in AWS; other properties are
  // (already_exists).
  ThingType create(const std::string& name, const std::string& description,
                   const std::vector<std::string>& searchable_attributes);
  [[nodiscard]] std::optional<ThingType> find(const std::string& name) const;
  // Empty `name`: all.
  [[nodiscard]] Page<ThingType> list(const std::string& name, const PageRequest& page) const;
  // not_found. What is absent stays.
  void update(const std::string& name, const std::optional<std::string>& description,
              const std::optional<std::vector<std::string>>& searchable_attributes);
  enum class Use : std::uint8_t { for_new_things, deprecated };
  void set_use(const std::string& name, Use use);  // not_found
  // failed_precondition while it is not deprecated or a thing has it; nothing for an unknown one.
  void remove(const std::string& name);

 private:
  store::Database& database_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
