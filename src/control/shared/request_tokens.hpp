// SPDX-License-Identifier: Apache-2.0
// Idempotent requests, as AWS has them: a request that comes again with the same clientToken gets
// the answer of the first one. Tokens are good for eight hours. Used within the caller's
// transaction, so that token and effect are stored together.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct RequestToken {
  std::string_view operation;
  std::string token;
  std::string request_sha256;
};

// The result that was stored with it. Throws conflict where the token came with another request.
[[nodiscard]] std::optional<std::string> find_result(store::Transaction& tx,
                                                     const RequestToken& token,
                                                     base::Timestamp now);
void remember_result(store::Transaction& tx, const RequestToken& token, const std::string& result,
                     base::Timestamp now);

// Deletes up to `limit` tokens that are no longer good; answers how many.
std::int64_t remove_expired_tokens(store::Transaction& tx, base::Timestamp now, std::int64_t limit);

// Throws invalid_argument for what is not 1 to 64 of [a-zA-Z0-9-].
void check_client_token(std::string_view token);

}  // namespace andon::control
