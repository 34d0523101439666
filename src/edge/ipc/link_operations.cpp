// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/link_operations.hpp"

#include "base/json/json_reader.hpp"

namespace andon::edge {

void LinkOperations::add_to(IpcOperations& operations) {
  operations["ReserveLink"] = {StreamAfterAnswer::closes,
                               [this](const IpcCall& call) { return reserve(call); }};
}

json::object LinkOperations::reserve(const IpcCall& call) {
  const base::JsonReader reader(call.request, "ReserveLink request");
  reader.allow_only({"bytes"});
  const auto bytes = reader.optional_integer("bytes", 1, kMostBytes);
  if (!bytes) throw invalid_arguments("ReserveLink request must say how many bytes");
  const LinkBudget::Leave leave = budget_.ask(LinkUse::uploads, static_cast<std::uint64_t>(*bytes));
  if (leave.is_given) return {{"reserved", true}};
  return {{"reserved", false},
          {"askAgainMilliseconds", leave.ask_again.count()},
          {"reason", leave.why}};
}

}  // namespace andon::edge
