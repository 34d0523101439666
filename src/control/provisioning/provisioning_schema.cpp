// SPDX-License-Identifier: Apache-2.0
// A claim is a certificate of no thing that is good for one template; the broker hears of it as of
// any other certificate (connection_changes), and of its end by certificates.not_after_ms.
#include "control/provisioning/provisioning_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE provisioning_templates (
  name TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  is_enabled BIGINT NOT NULL,
  role_arn TEXT NOT NULL,
  hook TEXT NOT NULL,            -- ARN of a function; empty: none
  hook_version TEXT NOT NULL,
  default_version BIGINT NOT NULL,
  last_version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE TABLE provisioning_template_versions (
  name TEXT NOT NULL REFERENCES provisioning_templates (name) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);
CREATE TABLE provisioning_claims (
  certificate TEXT NOT NULL PRIMARY KEY REFERENCES certificates (id) ON DELETE CASCADE,
  template TEXT NOT NULL REFERENCES provisioning_templates (name) ON DELETE CASCADE
);
CREATE INDEX provisioning_claims_template ON provisioning_claims (template);
CREATE TRIGGER provisioning_claim_made AFTER INSERT ON provisioning_claims BEGIN
  INSERT INTO connection_changes (certificate) VALUES (NEW.certificate);
END;
CREATE TRIGGER provisioning_claim_deleted AFTER DELETE ON provisioning_claims BEGIN
  INSERT INTO connection_changes (certificate) VALUES (OLD.certificate);
END;
CREATE TABLE certificate_owners (
  token_sha256 TEXT NOT NULL PRIMARY KEY,
  certificate TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
  expires_ms BIGINT NOT NULL,
  template TEXT NOT NULL,        -- that it was used for; empty: not yet
  answer TEXT NOT NULL           -- what was answered then
);
CREATE INDEX certificate_owners_expires ON certificate_owners (expires_ms);
CREATE INDEX certificate_owners_certificate ON certificate_owners (certificate);
)sql";

}  // namespace

void migrate_provisioning(store::Database& database) {
  database.migrate("provisioning", {{"0001-templates", kTables}});
}

}  // namespace andon::control
