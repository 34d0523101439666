// SPDX-License-Identifier: Apache-2.0
// Room: access. Who may do what, on the command line.
// `andon users`, `andon keys`, `andon roles`: the few things that a small plant needs of IAM; all
// else is done with AWS's own tools. Called by main before options are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_access_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
