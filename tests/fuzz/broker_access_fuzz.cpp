// SPDX-License-Identifier: Apache-2.0
// Lines of the broker's view, then the topics and filters of two things: whatever they are, one
// without a policy reaches no topic but its own, one whose policy allows everything reaches nothing
// that is between the server and another, and what a granted filter matches may be received.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "broker/access/access.hpp"
#include "broker/view/view.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_private(std::string_view topic) {
  for (const char* prefix : {"$aws/", "$SYS/", "andon/", "cmd/andon/"}) {
    if (topic.starts_with(prefix)) return true;
  }
  return false;
}

bool is_private_to_r(std::string_view topic) {
  for (const char* prefix :
       {"$aws/things/r/", "andon/things/r/", "cmd/andon/r/", "andon/broadcast/"}) {
    if (topic.starts_with(prefix)) return true;
  }
  return topic == "$aws/things/r" || topic == "andon/things/r" || topic == "andon/broadcast" ||
         topic == "cmd/andon/r";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::broker;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string fingerprint(64, 'a');
  Access access;
  const std::string ruled(64, 'b');
  (void)access.replace_view(std::vector<Change>{
      AddThing{"t"}, AddThing{"r"}, SetRealm{"arn:aws:iot:us-east-1:000000000000:"},
      SetPolicy{"All", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)"
                       R"("Action":"iot:*","Resource":"*"}})"},
      AllowCertificate{fingerprint, {PrincipalKind::thing, "t"}},
      AllowCertificate{ruled, {PrincipalKind::thing, "r", {"All"}}}});
  const Access::TimePoint now = Access::TimePoint() + std::chrono::hours(1);
  (void)access.connect(&access, {.fingerprint = fingerprint, .client_id = "t", .is_kept = false},
                       now);
  (void)access.connect(&fingerprint, {.fingerprint = ruled, .client_id = "r", .is_kept = false},
                       now);
  std::string_view filter;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    try {
      const Change change = parse_line(line);
      const std::string written = to_line(change);
      require(to_line(parse_line(std::string_view(written).substr(0, written.size() - 1))) ==
              written);
    } catch (const andon::base::Error&) {
    }
    if (access.publish("t", {.topic = line, .payload_bytes = 1, .is_retained = true}, now) ==
        Decision::allowed) {
      require(line.starts_with("$aws/things/t/") || line.starts_with("andon/things/t/") ||
              line.starts_with("dt/") || line == "$aws/things/t" || line == "andon/things/t");
    }
    if (access.receive("r", line) == Decision::allowed) {
      require(is_private_to_r(line) || !is_private(line));
    }
    // A subscription that was granted brings nothing that may not be received.
    if (!filter.empty() && andon::wire::topic_matches(filter, line) &&
        access.subscribe("t", filter, 0) == Decision::allowed) {
      require(access.receive("t", line) == Decision::allowed);
    }
    if (!filter.empty() && andon::wire::topic_matches(filter, line) &&
        access.subscribe("r", filter, 0) == Decision::allowed) {
      require(is_private_to_r(line) || !is_private(line));
    }
    if (andon::wire::is_valid_filter(line)) filter = line;
  }
  return 0;
}
