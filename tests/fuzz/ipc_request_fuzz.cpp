// SPDX-License-Identifier: Apache-2.0
// Requests of components: the payload of each operation, after the frame has been decoded. The
// first byte chooses the operation.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "edge/configuration_operations.hpp"
#include "edge/state_database.hpp"

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
  edge::ConfigurationStore store{*database, clock};
  edge::ConfigurationOperations operations{store};
  edge::IpcOperations table;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Target& target = *[] {
    auto* made = new Target;
    made->operations.add_to(made->table);
    return made;
  }();
  if (size == 0) return 0;
  const auto operation =
      std::next(target.table.begin(), static_cast<std::ptrdiff_t>(data[0] % target.table.size()));
  try {
    const base::json::value request =
        base::parse_json(std::string(data + 1, data + size), "request");
    if (!request.is_object()) return 0;
    static_cast<void>(
        operation->second.handle({"com.example.App", operation->first, request.get_object(),
                                  std::make_shared<SilentStream>()}));
  } catch (const base::Error&) {
  }
  return 0;
}
