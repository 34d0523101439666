// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/operator_call.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string>

#include "base/error/error.hpp"

namespace andon::vision::operators {

using base::Error;
using base::ErrorCode;

void check(const abi::Api& api, abi::Status* status) {
  if (status == nullptr) return;
  const std::string reason = api.get_error_message(status);
  api.release_status(status);
  throw Error(ErrorCode::internal, reason);
}

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::invalid_argument, std::string(what));
}

std::vector<ByteTable> tables_of(const abi::Api& api, const abi::KernelInfo* info,
                                 const char* name) {
  std::array<char, sizeof(ByteTable) * kMostInputs + 1> text{};
  std::size_t size = text.size();
  if (abi::Status* status = api.attribute_text(info, name, text.data(), &size); status != nullptr) {
    api.release_status(status);
    refuse(
        fmt::format("the attribute {} is missing, or has more than {} tables", name, kMostInputs));
  }
  const std::size_t bytes = size - 1;  // less the end mark
  if (bytes == 0 || bytes % sizeof(ByteTable) != 0) {
    refuse(fmt::format("the attribute {} has {} bytes, not 256 a table", name, bytes));
  }
  std::vector<ByteTable> tables(bytes / sizeof(ByteTable));
  std::memcpy(tables.data(), text.data(), bytes);
  return tables;
}
}  // namespace andon::vision::operators
