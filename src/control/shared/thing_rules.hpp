// SPDX-License-Identifier: Apache-2.0
// What may be in the registry of things and groups, and the one way a thing gets into it.
#pragma once

#include <map>
#include <string>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// Throw invalid_argument. Thing names that start with "andon-" are the server's own: a
// certificate with such a name would have the server's rights at the broker.
void check_thing_name(const std::string& name);
void check_group_name(const std::string& name);
void check_attributes(const std::map<std::string, std::string>& attributes);

void insert_thing(store::Transaction& tx, const std::string& name,
                  const std::map<std::string, std::string>& attributes,
                  const std::string& type_name, base::Timestamp now);

}  // namespace andon::control
