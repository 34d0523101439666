// SPDX-License-Identifier: Apache-2.0
// Requests of components: the payload of each operation, after the frame has been decoded. The
// first byte chooses the operation.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "base/error/error.hpp"
#include "base/time/time.hpp"
#include "edge/consent/update_operations.hpp"
#include "edge/ipc/configuration_operations.hpp"
#include "edge/ipc/metric_operations.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/state/state_database.hpp"
#include "edge/state/state_writer.hpp"

namespace {

using namespace andon;

class SilentStream final : public edge::IpcStream {
 public:
  void send_event(std::string_view, const edge::json::object&) override {}
  void on_close(std::function<void()>) override {}
};

struct Target {
  base::TemporaryDirectory directory;
  base::SystemClock clock;
  std::unique_ptr<store::Database> database =
      edge::open_state_database(directory.path() / "config.db");
  edge::EventLoop loop;
  edge::StateWriter writer{loop, *database};
  edge::ConfigurationStore store{*database, writer, clock};
  edge::ConfigurationOperations operations{store};
  edge::UpdateOperations updates{loop};
  edge::MetricOperations metrics;
  edge::IpcOperations table;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Target& target = *[] {
    auto* made = new Target;
    made->operations.add_to(made->table);
    made->updates.add_to(made->table);
    made->metrics.add_to(made->table);
    return made;
  }();
  if (size == 0) return 0;
  const auto operation =
      std::next(target.table.begin(), static_cast<std::ptrdiff_t>(data[0] % target.table.size()));
  try {
    const base::json::value request =
        base::parse_json(std::string(data + 1, data + size), "request");
    if (!request.is_object()) return 0;
    const edge::IpcCall call{"com.example.App", operation->first, request.get_object(),
                             std::make_shared<SilentStream>()};
    if (operation->second.handle) {
      static_cast<void>(operation->second.handle(call));
    } else {
      operation->second.handle_later(call, [](const auto&...) {});
    }
  } catch (const base::Error&) {
  }
  // What is saved and told is done on the loop, so that nothing piles up.
  static_cast<void>(target.loop.run_until([] { return true; }, std::chrono::milliseconds{0}));
  return 0;
}
