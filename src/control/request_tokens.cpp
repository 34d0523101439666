// SPDX-License-Identifier: Apache-2.0
#include "control/request_tokens.hpp"

#include <algorithm>
#include <chrono>

#include "base/error.hpp"
#include "control/sql_text.hpp"

namespace andon::control {

using base::Error;
using base::ErrorCode;

std::optional<std::string> find_result(store::Transaction& tx, const RequestToken& token,
                                       base::Timestamp now) {
  constexpr std::chrono::hours kLifetime{8};
  tx.execute("DELETE FROM request_tokens WHERE created_ms < $1", {to_stored(now - kLifetime)});
  const auto row = tx.query_one(
      "SELECT request_sha256, result FROM request_tokens WHERE operation = $1 AND token = $2",
      {std::string(token.operation), token.token});
  if (!row) return std::nullopt;
  if (row->text(0) != token.request_sha256) {
    throw Error(ErrorCode::conflict,
                "clientToken was used with another request; use a new one for each request");
  }
  return row->text(1);
}

void remember_result(store::Transaction& tx, const RequestToken& token, const std::string& result,
                     base::Timestamp now) {
  tx.execute(
      "INSERT INTO request_tokens (operation, token, request_sha256, result, created_ms) "
      "VALUES ($1, $2, $3, $4, $5)",
      {std::string(token.operation), token.token, token.request_sha256, result, to_stored(now)});
}

void check_client_token(std::string_view token) {
  const bool good =
      !token.empty() && token.size() <= 64 && std::all_of(token.begin(), token.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
      });
  if (!good) {
    throw Error(ErrorCode::invalid_argument,
                "clientToken: must be 1 to 64 letters, digits and hyphens");
  }
}

}  // namespace andon::control
