// SPDX-License-Identifier: Apache-2.0
// A statement as Athena's users write it: what is taken off, and what it unfolds to; then what
// SQLite makes of it, within the guard. The table beside the view must never be seen.
#include <unistd.h>

#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "features/queries/query_text.hpp"
#include "store/sql/database.hpp"
#include "store/sql/guarded_query.hpp"

namespace {

using namespace andon;

constexpr std::string_view kSecret = "never-to-be-seen";

const base::fs::path& database() {
  static const base::TemporaryDirectory directory;
  static const base::fs::path path = directory.path() / "x.db";
  static const auto made = [] {
    auto one = store::open_sqlite(path);
    one->migrate("fuzz", {{"1",
                           "CREATE TABLE offline_1 (c0 TEXT, c1 BIGINT);"
                           "CREATE TABLE secrets (word TEXT);"
                           "INSERT INTO secrets VALUES ('never-to-be-seen');"
                           "INSERT INTO offline_1 VALUES ('a', 1), ('b', 2);"}});
    return one;
  }();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  try {
    const std::string text = features::sqlite_text(sql, {"db.parts"});
    store::GuardedQuery query(database(), {{"parts", "offline_1", {{"name", "c0"}, {"n", "c1"}}}},
                              {.time = std::chrono::milliseconds(100), .rows = 100});
    query.run(text,
              {.columns = [](const auto&) {},
               .row =
                   [&](const auto& values) {
                     for (const auto& value : values) {
                       const auto* word = std::get_if<std::string>(&value);
                       // Unless it stands in the statement itself.
                       if (word != nullptr && word->find(kSecret) != std::string::npos &&
                           sql.find("never") == std::string_view::npos) {
                         __builtin_trap();
                       }
                     }
                   }},
              {});
  } catch (const base::Error&) {
  }
  return 0;
}
