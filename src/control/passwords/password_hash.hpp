// SPDX-License-Identifier: Apache-2.0
// Passwords that people think of, kept so that who reads the database cannot try them out cheaply:
// Argon2id (RFC 9106) with a salt of its own each, 19 MiB and two passes. What is stored is the
// text form "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>", which names its own parameters, so that
// later ones may be heavier. Any thread; at most two at a time work, others wait.
#pragma once

#include <string>
#include <string_view>

namespace andon::control {

// Throws unavailable where it is not its turn within five seconds.
[[nodiscard]] std::string hash_password(std::string_view password);
// The same; data_corrupted for a text that is not one of hash_password().
[[nodiscard]] bool is_password(std::string_view password, const std::string& stored);
// Takes as long as is_password(), for who has none.
void pretend_to_check(std::string_view password);

}  // namespace andon::control
