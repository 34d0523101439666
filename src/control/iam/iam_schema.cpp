// SPDX-License-Identifier: Apache-2.0
#include "control/iam/iam_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE iam_entities (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,            -- user, group, role
  name_key TEXT NOT NULL,        -- the name in lower case
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  description TEXT NOT NULL,
  trust TEXT NOT NULL,
  longest_session_s BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX iam_entities_name ON iam_entities (kind, name_key);
CREATE TABLE iam_members (
  user_id TEXT NOT NULL REFERENCES iam_entities (id),
  group_id TEXT NOT NULL REFERENCES iam_entities (id),
  PRIMARY KEY (user_id, group_id)
);
CREATE INDEX iam_members_group ON iam_members (group_id, user_id);
CREATE TABLE iam_policies (
  arn TEXT NOT NULL PRIMARY KEY,
  name_key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  id TEXT NOT NULL,
  path TEXT NOT NULL,
  description TEXT NOT NULL,
  default_version BIGINT NOT NULL,
  last_version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE TABLE iam_policy_versions (
  arn TEXT NOT NULL REFERENCES iam_policies (arn) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  document TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (arn, version)
);
CREATE TABLE iam_attachments (
  entity_id TEXT NOT NULL REFERENCES iam_entities (id),
  policy_arn TEXT NOT NULL,      -- of iam_policies, or ready-made
  PRIMARY KEY (entity_id, policy_arn)
);
CREATE INDEX iam_attachments_policy ON iam_attachments (policy_arn, entity_id);
CREATE TABLE iam_inline_policies (
  entity_id TEXT NOT NULL REFERENCES iam_entities (id),
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (entity_id, name)
);
CREATE TABLE iam_begun (         -- a row once the ready-made roles were made
  begun_ms BIGINT NOT NULL
);
)sql";

constexpr std::string_view kServiceRoles = R"sql(
CREATE TABLE iam_service_roles_begun ( -- a row once the roles of services were made
  begun_ms BIGINT NOT NULL
);
)sql";

constexpr std::string_view kProvidersAndAliases = R"sql(
CREATE TABLE oidc_providers (
  arn TEXT NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  clients TEXT NOT NULL,         -- JSON
  thumbprints TEXT NOT NULL,     -- JSON
  created_ms BIGINT NOT NULL
);
CREATE TABLE role_aliases (
  name TEXT NOT NULL PRIMARY KEY,
  role_arn TEXT NOT NULL,
  duration_s BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE TABLE role_alias_things ( -- which things may take it
  thing TEXT NOT NULL,
  alias TEXT NOT NULL REFERENCES role_aliases (name),
  given_ms BIGINT NOT NULL,
  PRIMARY KEY (thing, alias)
);
CREATE INDEX role_alias_things_alias ON role_alias_things (alias, thing);
)sql";

}  // namespace

void migrate_iam(store::Database& database) {
  database.migrate("iam", {{"0001-entities", kTables},
                           {"0002-service-roles", kServiceRoles},
                           {"0003-providers-and-aliases", kProvidersAndAliases}});
}

}  // namespace andon::control
