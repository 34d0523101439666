// SPDX-License-Identifier: Apache-2.0
#include "control/shared/request_tokens.hpp"

#include <algorithm>
#include <chrono>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {

using base::Error;
using base::ErrorCode;

namespace {

constexpr std::chrono::hours kLifetime{8};

}  // namespace

std::optional<std::string> find_result(store::Transaction& tx, const RequestToken& token,
                                       base::Timestamp now) {
  const auto row = tx.query_one(
      "SELECT request_sha256, result FROM request_tokens WHERE operation = $1 AND token = $2 "
      "AND created_ms >= $3",
      {std::string(token.operation), token.token, to_stored(now - kLifetime)});
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
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (operation, token) DO UPDATE SET "
      "request_sha256 = excluded.request_sha256, result = excluded.result, "
      "created_ms = excluded.created_ms",  // one whose time is over
      {std::string(token.operation), token.token, token.request_sha256, result, to_stored(now)});
}

std::int64_t remove_expired_tokens(store::Transaction& tx, base::Timestamp now,
                                   std::int64_t limit) {
  return tx.execute(
      "DELETE FROM request_tokens WHERE rowid IN "
      "(SELECT rowid FROM request_tokens WHERE created_ms < $1 LIMIT $2)",
      {to_stored(now - kLifetime), limit});
}

void check_client_token(std::string_view token) {
  const bool good = token.size() <= 64 && base::is_name_of(token, "-");
  if (!good) {
    throw Error(ErrorCode::invalid_argument,
                "clientToken: must be 1 to 64 letters, digits and hyphens");
  }
}

}  // namespace andon::control
