// SPDX-License-Identifier: Apache-2.0
#include "events/topicrules/topic_rule_schema.hpp"

namespace andon::events {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE topic_rules (
  name TEXT NOT NULL PRIMARY KEY,
  sql TEXT NOT NULL,
  description TEXT NOT NULL,
  sql_version TEXT NOT NULL,
  actions TEXT NOT NULL,
  error_action TEXT NOT NULL,    -- {}: none
  is_disabled BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
)sql";

}  // namespace

void migrate_topic_rules(store::Database& database) {
  database.migrate("topic rules", {{"0001-topic-rules", kTables}});
}

}  // namespace andon::events
