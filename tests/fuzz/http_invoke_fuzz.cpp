// SPDX-License-Identifier: Apache-2.0
// What comes from outside into a call of http:invoke: a connection's AuthParameters, a state's
// parameters and an endpoint's answer, apart by line feeds. What is let through keeps its promise:
// no line end in any header, a host that was allowed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/endpoints/http_exchange.hpp"
#include "base/error/error.hpp"
#include "base/text/split.hpp"
#include "workflow/tasks/integration.hpp"

namespace {

using namespace andon;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const wire::OutgoingRequest& request) {
  for (const auto& [name, value] : request.headers.fields()) {
    require(!name.empty());
    for (const std::string& text : {name, value}) {
      require(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    }
  }
  const auto url = wire::read_url(request.url);
  require(url && (url->host == "h" || url->host.ends_with(".d")));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view credentials = base::take_part(rest, '\n');
  const std::string_view parameters = base::take_part(rest, '\n');
  static const api::AllowedHosts allowed({"h", "http://h", "*.d"});
  for (const auto type : {control::AuthorizationType::basic, control::AuthorizationType::api_key}) {
    try {
      const base::json::value members = base::parse_json(credentials, "the connection");
      if (!members.is_object()) continue;
      const auto authorization = control::read_authorization(type, members.get_object());
      (void)control::without_secrets(members.get_object());
      try {
        check(api::http_request(base::parse_json(parameters, "the parameters"), authorization,
                                allowed, "r"));
      } catch (const workflow::TaskFailure&) {
      }
      wire::IncomingResponse response{.status = 200, .headers = {}, .body = std::string(rest)};
      response.headers.add("Content-Type", "application/json");
      (void)api::http_result(response, authorization);
    } catch (const base::Error&) {
    } catch (const workflow::TaskFailure&) {
    }
  }
  return 0;
}
