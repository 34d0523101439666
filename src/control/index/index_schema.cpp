// SPDX-License-Identifier: Apache-2.0
// What may change who belongs to a dynamic group is noted by the database itself, in the
// transaction that changes it, while there is such a group. The members of other dynamic groups do
// not count (dynamic_groups.hpp), so no change comes of a change.
#include "control/index/index_schema.hpp"

#include "control/shadows/shadow_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE index_settings (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  settings TEXT NOT NULL         -- JSON, as UpdateIndexingConfiguration gave it
);
CREATE TABLE index_changes (
  thing TEXT NOT NULL PRIMARY KEY
);
CREATE TRIGGER index_thing_made AFTER INSERT ON things
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL) BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.name);
END;
CREATE TRIGGER index_thing_changed AFTER UPDATE ON things
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL) BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.name);
END;
CREATE TRIGGER index_thing_came AFTER INSERT ON thing_connectivity
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL) BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.thing);
END;
CREATE TRIGGER index_thing_went AFTER UPDATE ON thing_connectivity
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL) BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.thing);
END;
CREATE TRIGGER index_thing_joined AFTER INSERT ON thing_group_members
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL)
  AND (SELECT query FROM thing_groups WHERE name = NEW.group_name) IS NULL BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.thing);
END;
CREATE TRIGGER index_thing_left AFTER DELETE ON thing_group_members
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL)
  AND (SELECT query FROM thing_groups WHERE name = OLD.group_name) IS NULL BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (OLD.thing);
END;
)sql";

// The same for shadows, while a query names one.
constexpr std::string_view kShadows = R"sql(
CREATE TRIGGER index_shadow_made AFTER INSERT ON thing_shadows
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL AND query LIKE '%shadow.%') BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.thing);
END;
CREATE TRIGGER index_shadow_changed AFTER UPDATE ON thing_shadows
  WHEN EXISTS (SELECT 1 FROM thing_groups WHERE query IS NOT NULL AND query LIKE '%shadow.%') BEGIN
  INSERT OR IGNORE INTO index_changes (thing) VALUES (NEW.thing);
END;
)sql";

}  // namespace

void migrate_index(store::Database& database) {
  migrate_shadows(database);
  database.migrate("index", {{"0001-index", kTables}, {"0002-shadows", kShadows}});
}

}  // namespace andon::control
