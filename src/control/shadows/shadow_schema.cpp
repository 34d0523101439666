// SPDX-License-Identifier: Apache-2.0
#include "control/shadows/shadow_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kShadows = R"sql(
CREATE TABLE thing_shadows (
  thing TEXT NOT NULL,
  name TEXT NOT NULL,            -- empty: the classic one
  state TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version BIGINT NOT NULL,
  deleted_ms BIGINT,             -- one that was deleted keeps its version for a while
  PRIMARY KEY (thing, name)
);
CREATE INDEX thing_shadows_deleted ON thing_shadows (deleted_ms) WHERE deleted_ms IS NOT NULL;
)sql";

}  // namespace

void migrate_shadows(store::Database& database) {
  database.migrate("shadows", {{"0001-shadows", kShadows}});
}

}  // namespace andon::control
