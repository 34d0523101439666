// SPDX-License-Identifier: Apache-2.0
// Room: webhooks. Pushes of GitHub, GitLab, Gitea and Forgejo: whether one is what its forge sent,
// and, kept in the database, the secrets and what was taken before.
//
// The proof is over the body as it came and is compared in constant time, before anything of the
// body is read. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/time/time.hpp"
#include "wire/http/http.hpp"

namespace andon::events {

struct Push {
  std::string forge;     // github, gitlab, gitea
  std::string event;     // "push", "tag_push"
  std::string delivery;  // the forge's id of it; may be empty
};

// Why one is not believed, in words for who looks after the webhook; who sent it is not told.
struct Doubt {
  std::string_view forge;  // whose form it has; empty: of none that is known
  std::string_view reason;
};

// A doubt where there is no proof, or a wrong one, or GitLab's signed time is not of now (within
// five minutes).
[[nodiscard]] std::variant<Push, Doubt> verify_push(const wire::Headers& headers,
                                                    std::string_view body,
                                                    const std::string& secret, base::Timestamp now);

}  // namespace andon::events
