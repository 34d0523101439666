// SPDX-License-Identifier: Apache-2.0
#include "control/iotpolicy/iot_policy_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE iot_policies (
  name TEXT NOT NULL PRIMARY KEY,
  default_version BIGINT NOT NULL,
  last_version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE TABLE iot_policy_versions (
  name TEXT NOT NULL REFERENCES iot_policies (name) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  document TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);
CREATE TABLE iot_policy_attachments (
  target TEXT NOT NULL,          -- cert/<id>, thinggroup/<name>, consumer/<name>
  policy TEXT NOT NULL REFERENCES iot_policies (name),
  PRIMARY KEY (target, policy)
);
CREATE INDEX iot_policy_attachments_policy ON iot_policy_attachments (policy, target);
CREATE TABLE consumers (
  name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,            -- certificate, user
  credential TEXT NOT NULL UNIQUE,  -- the certificate's id; a hash of name and password
  created_ms BIGINT NOT NULL
);
)sql";

// What the broker is told anew (control/identity/connection_rights.hpp), and what goes with what it
// was attached to. A certificate that renews another has its policies.
constexpr std::string_view kChanges = R"sql(
ALTER TABLE connection_changes ADD COLUMN target TEXT;  -- policy/<name>, or as in attachments
CREATE TRIGGER iot_policy_made AFTER INSERT ON iot_policies BEGIN
  INSERT INTO connection_changes (target) VALUES ('policy/' || NEW.name);
END;
CREATE TRIGGER iot_policy_changed AFTER UPDATE ON iot_policies BEGIN
  INSERT INTO connection_changes (target) VALUES ('policy/' || NEW.name);
END;
CREATE TRIGGER iot_policy_deleted AFTER DELETE ON iot_policies BEGIN
  INSERT INTO connection_changes (target) VALUES ('policy/' || OLD.name);
END;
CREATE TRIGGER iot_policy_attached AFTER INSERT ON iot_policy_attachments BEGIN
  INSERT INTO connection_changes (target) VALUES (NEW.target);
END;
CREATE TRIGGER iot_policy_detached AFTER DELETE ON iot_policy_attachments BEGIN
  INSERT INTO connection_changes (target) VALUES (OLD.target);
END;
CREATE TRIGGER consumer_made AFTER INSERT ON consumers BEGIN
  INSERT INTO connection_changes (certificate) VALUES (NEW.credential);
END;
CREATE TRIGGER consumer_deleted AFTER DELETE ON consumers BEGIN
  INSERT INTO connection_changes (certificate) VALUES (OLD.credential);
  DELETE FROM iot_policy_attachments WHERE target = 'consumer/' || OLD.name;
END;
CREATE TRIGGER thing_joined AFTER INSERT ON thing_group_members BEGIN
  INSERT INTO connection_changes (target) VALUES ('thing/' || NEW.thing);
END;
CREATE TRIGGER thing_left AFTER DELETE ON thing_group_members BEGIN
  INSERT INTO connection_changes (target) VALUES ('thing/' || OLD.thing);
END;
CREATE TRIGGER thing_described AFTER UPDATE ON things
  WHEN OLD.attributes <> NEW.attributes OR OLD.type_name <> NEW.type_name BEGIN
  INSERT INTO connection_changes (target) VALUES ('thing/' || NEW.name);
END;
CREATE TRIGGER thing_group_deleted AFTER DELETE ON thing_groups BEGIN
  DELETE FROM iot_policy_attachments WHERE target = 'thinggroup/' || OLD.name;
END;
CREATE TRIGGER certificate_gone AFTER DELETE ON certificates BEGIN
  DELETE FROM iot_policy_attachments WHERE target = 'cert/' || OLD.id;
  DELETE FROM consumers WHERE credential = OLD.id;
END;
CREATE TRIGGER certificate_renewed AFTER INSERT ON certificates
  WHEN NEW.replaces IS NOT NULL BEGIN
  INSERT INTO iot_policy_attachments (target, policy)
    SELECT 'cert/' || NEW.id, policy FROM iot_policy_attachments
    WHERE target = 'cert/' || NEW.replaces;
END;
)sql";

constexpr std::string_view kCertificates = R"sql(
ALTER TABLE certificates ADD COLUMN modified_ms BIGINT;  -- NULL: when it was made
ALTER TABLE certificates ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;
)sql";

constexpr std::string_view kTokens = R"sql(
ALTER TABLE enrolment_tokens ADD COLUMN policies TEXT;  -- JSON: names; NULL: none
)sql";

}  // namespace

void migrate_iot_policies(store::Database& database) {
  database.migrate("iotpolicy", {{"0001-policies", kTables},
                                 {"0002-changes", kChanges},
                                 {"0003-certificates", kCertificates},
                                 {"0004-tokens", kTokens}});
}

}  // namespace andon::control
