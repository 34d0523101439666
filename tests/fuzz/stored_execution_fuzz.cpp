// SPDX-License-Identifier: Apache-2.0
// What the database holds of an execution, damaged: its history is given back, shown, or refused as
// damaged; its state likewise. "h" and the text of a row of events, or "s" and lines "KEY BODY" of
// records.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "asl/execution/execution.hpp"
#include "asl/testing/memory_records.hpp"
#include "base/error/error.hpp"
#include "base/text/split.hpp"
#include "store/sql/database.hpp"
#include "workflow/executions/executions.hpp"
#include "workflow/shared/schema.hpp"

namespace {

namespace base = andon::base;
namespace workflow = andon::workflow;
namespace store = andon::store;

store::Database& database() {
  static const base::TemporaryDirectory directory("/dev/shm");
  static const std::unique_ptr<store::Database> made = [] {
    auto opened = store::open_sqlite(directory.path() / "workflow.db");
    workflow::migrate_schema(*opened);
    return opened;
  }();
  return *made;
}

void read_history(std::string_view text) {
  database().write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM execution_events");
    tx.execute(
        "INSERT INTO execution_events (execution, first_event, last_event, body) VALUES (1, 1, 9, "
        "$1)",
        {std::string(text)});
  });
  const workflow::Executions executions(database());
  for (const bool reverse : {false, true}) {
    try {
      static_cast<void>(
          executions.history(1, {.limit = 5, .reverse = reverse, .with_data = reverse}));
    } catch (const base::Error&) {
    }
  }
}

void read_state(std::string_view text) {
  const auto records = std::make_shared<andon::asl::MemoryRecords>();
  while (!text.empty()) {
    const std::string_view line = base::take_part(text, '\n');
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    records->records[std::string(line.substr(0, blank))] = line.substr(blank + 1);
  }
  try {
    const andon::asl::ExecutionState state = andon::asl::load_execution(records);
    for (std::int64_t id = 0; id < 4; ++id) static_cast<void>(state.find(id));
  } catch (const base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'h') read_history(text);
  if (data[0] == 's') read_state(text);
  return 0;
}
