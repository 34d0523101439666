// SPDX-License-Identifier: Apache-2.0
// What a feature group may be like, and how it is written down. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "features/groups/types.hpp"

namespace andon::features {

// Throws invalid_argument, in AWS's words where there are such.
void check_request(const GroupRequest& request);
// `features` as additions to those that are there.
void check_features(const std::vector<Feature>& there, const std::vector<Feature>& features);

// A table's or a database's name: lower-case letters, digits and '_'.
void check_table_name(const std::string& name, const char* member);
// Of the group's name: lower case, '_' for '-', and the second in which it was made.
[[nodiscard]] std::string table_name(const std::string& group, base::Timestamp created);

// All but its features, and back.
[[nodiscard]] std::string to_stored(const GroupRequest& request);
[[nodiscard]] GroupRequest stored_request(const std::string& text);
[[nodiscard]] std::string to_stored(const std::vector<Feature>& columns);
[[nodiscard]] std::vector<Feature> stored_columns(const std::string& text);

}  // namespace andon::features
