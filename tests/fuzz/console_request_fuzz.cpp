// SPDX-License-Identifier: Apache-2.0
// What anybody may send for the console's files and events, a line each: a path, Accept-Encoding,
// If-None-Match, Last-Event-ID, a topic, what a page asks on its socket.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/console/changes.hpp"
#include "api/console/console_files.hpp"
#include "api/console/topic_sight.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  static const api::ConsoleFiles files(api::embedded_console());
  static api::Changes changes({});
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = [&text] {
    const std::size_t end = text.find('\n');
    std::string one(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return one;
  };
  wire::HttpRequest request{.method = "GET", .path = "/console/" + line()};
  request.headers.add("Accept-Encoding", line());
  request.headers.add("If-None-Match", line());
  (void)files.find(request);
  (void)changes.wait(line());
  const std::string topic = line();
  (void)api::sight_of(topic);
  (void)api::is_open_filter(topic);
  try {
    (void)api::read_page_ask(line());
  } catch (const base::Error&) {
  }
  return 0;
}
