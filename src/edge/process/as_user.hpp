// SPDX-License-Identifier: Apache-2.0
// Looks at files with no more rights than components have: an agent that is root must not read,
// hand out or remove for them what only root may. Any thread; changes nothing but the calling
// thread's rights, and those for the time of the call.
#pragma once

#include <functional>
#include <string>

namespace andon::edge {

// `user` as resolve_run_as() reads it. Throws what `work` throws, and base::Error where there is no
// such user.
void with_rights_of(const std::string& user, const std::function<void()>& work);

}  // namespace andon::edge
