// SPDX-License-Identifier: Apache-2.0
// The table of topic rules.
#pragma once

#include "store/sql/database.hpp"

namespace andon::events {

void migrate_topic_rules(store::Database& database);

}  // namespace andon::events
