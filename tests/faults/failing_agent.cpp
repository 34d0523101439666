// SPDX-License-Identifier: Apache-2.0
// An agent that lets itself be adopted as the shipped one does, and fails when it runs, as
// FAILING_AGENT says: "crash", "hang", or "newer", which first makes config.db one that only a
// newer version knows. Tests only: `failing_agent adopt --root DIR [--wait ...]`, `failing_agent
// run ...`.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "edge/control/adoption.hpp"
#include "edge/state/state_database.hpp"

int main(int argc, char** argv) {
  using namespace andon;
  if (argc < 4) return 2;
  const edge::Layout layout(argv[3]);
  if (std::string_view(argv[1]) == "adopt") {
    try {
      if (argc == 4 || std::string_view(argv[4]) != "--wait") {
        return edge::adopt_agent(layout, std::chrono::seconds(5));
      }
      edge::wait_for_adoption(layout);
      return 0;
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
      return 1;
    }
  }
  const char* const fault = std::getenv("FAILING_AGENT");
  const std::string_view how = fault == nullptr ? "" : fault;
  if (how == "hang") pause();
  if (how == "newer") {
    const auto database = store::open_sqlite(layout.database());
    database->write([](store::Transaction& tx) {
      tx.execute(
          "INSERT OR IGNORE INTO andon_migration (component, position, name) "
          "VALUES ('edge', 1000, 'of the future')");
    });
  }
  std::abort();
}
