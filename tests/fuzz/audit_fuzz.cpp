// SPDX-License-Identifier: Apache-2.0
// What the audit log reads from outside: the broker's word of refusals, tokens of pages, the target
// of --audit-syslog, and its own content where somebody has changed it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/audit/audit.hpp"
#include "api/device/broker_refusals.hpp"
#include "base/error/error.hpp"
#include "control/audit/audit_chain.hpp"
#include "wire/syslog/syslog.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(data + 1)),
                              size - 1);
  try {
    switch (data[0] % 4) {
      case 0:
        for (const auto& event : andon::api::read_broker_refusals(text, {})) {
          // What is read is written so that it can be read again.
          (void)andon::control::read_content(andon::control::to_content(1, event));
        }
        break;
      case 1:
        (void)andon::api::read_audit_token(text);
        break;
      case 2:
        (void)andon::wire::parse_syslog_target(text);
        break;
      default:
        (void)andon::control::read_content(text);
    }
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
