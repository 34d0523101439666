// SPDX-License-Identifier: Apache-2.0
// Questions to the person at the terminal; of a program's stdin, the next line without asking. One
// thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::cli {

// Throws UsageError for an empty answer; `hint` says how else it can be given.
[[nodiscard]] std::string ask(std::string_view what, std::string_view hint);
// The same for what is not to be shown while it is typed.
[[nodiscard]] std::string ask_silently(std::string_view what, std::string_view hint);

}  // namespace andon::cli
